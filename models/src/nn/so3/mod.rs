//! Features that turn with space: coefficients of real spherical harmonics, their rotation and their values on a sphere.
//!
//! The harmonics are those of e3nn: the polar axis is y, azimuths are counted from z towards x, and the degree-1
//! components are (x, y, z), so that the Wigner matrix of degree 1 is the rotation itself. On atoms a feature has
//! (L + 1)² rows, row l² + l + m. On edges, whose own frame has +y along the edge, only |m| ≤ M is kept and rows are
//! sorted by |m| ([`layout::Layout`]), so that what mixes (the degrees of one |m|, Passaro and Zitnick 2023) lies together.

pub mod convolution;
pub mod frames;
pub mod grid;
pub mod harmonics;
pub mod layout;
pub mod motion;
pub mod rotate;
pub mod sphere;
pub mod wigner;
