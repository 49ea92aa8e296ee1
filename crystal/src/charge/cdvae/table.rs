//! What SMACT 2.2.1 tabulates, as the rule needs it: facts only, one row an element.
//!
//! Source: the package SMACT 2.2.1 (MIT licence; Davies et al., *Chem* **1**, 617 (2016)): its list of
//! oxidation states compiled in 2014, its Pauling electronegativities and its list of metals, with their
//! slips (zirconium 0.33 instead of 1.33, promethium no metal): published numbers were made with them.

use super::Row;

/// One row per atomic number, row 0 is hydrogen.
#[rustfmt::skip]
pub(super) const TABLE: [Row; 103] = [
    Row { states: &[-1, 1], electronegativity: Some(2.2), metal: false }, // H
    Row { states: &[], electronegativity: None, metal: false }, // He
    Row { states: &[1], electronegativity: Some(0.98), metal: true }, // Li
    Row { states: &[1, 2], electronegativity: Some(1.57), metal: true }, // Be
    Row { states: &[1, 2, 3], electronegativity: Some(2.04), metal: false }, // B
    Row { states: &[-4, -3, -2, -1, 1, 2, 3, 4], electronegativity: Some(2.55), metal: false }, // C
    Row { states: &[-3, -2, -1, 1, 2, 3, 4, 5], electronegativity: Some(3.04), metal: false }, // N
    Row { states: &[-2, -1, 1, 2], electronegativity: Some(3.44), metal: false }, // O
    Row { states: &[-1], electronegativity: Some(3.98), metal: false }, // F
    Row { states: &[], electronegativity: None, metal: false }, // Ne
    Row { states: &[-1, 1], electronegativity: Some(0.93), metal: true }, // Na
    Row { states: &[1, 2], electronegativity: Some(1.31), metal: true }, // Mg
    Row { states: &[1, 2, 3], electronegativity: Some(1.61), metal: true }, // Al
    Row { states: &[-4, -3, -2, -1, 1, 2, 3, 4], electronegativity: Some(1.9), metal: false }, // Si
    Row { states: &[-3, -2, -1, 1, 2, 3, 4, 5], electronegativity: Some(2.19), metal: false }, // P
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6], electronegativity: Some(2.58), metal: false }, // S
    Row { states: &[-1, 1, 2, 3, 4, 5, 6, 7], electronegativity: Some(3.16), metal: false }, // Cl
    Row { states: &[], electronegativity: None, metal: false }, // Ar
    Row { states: &[-1, 1], electronegativity: Some(0.82), metal: true }, // K
    Row { states: &[1, 2], electronegativity: Some(1.0), metal: true }, // Ca
    Row { states: &[1, 2, 3], electronegativity: Some(1.36), metal: true }, // Sc
    Row { states: &[-1, 1, 2, 3, 4], electronegativity: Some(1.54), metal: true }, // Ti
    Row { states: &[-1, 1, 2, 3, 4, 5], electronegativity: Some(1.63), metal: true }, // V
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6], electronegativity: Some(1.66), metal: true }, // Cr
    Row { states: &[-3, -2, -1, 1, 2, 3, 4, 5, 6, 7], electronegativity: Some(1.55), metal: true }, // Mn
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6], electronegativity: Some(1.83), metal: true }, // Fe
    Row { states: &[-1, 1, 2, 3, 4, 5], electronegativity: Some(1.88), metal: true }, // Co
    Row { states: &[-1, 1, 2, 3, 4], electronegativity: Some(1.91), metal: true }, // Ni
    Row { states: &[1, 2, 3, 4], electronegativity: Some(1.9), metal: true }, // Cu
    Row { states: &[1, 2], electronegativity: Some(1.65), metal: true }, // Zn
    Row { states: &[1, 2, 3], electronegativity: Some(1.81), metal: true }, // Ga
    Row { states: &[-4, -3, -2, -1, 1, 2, 3, 4], electronegativity: Some(2.01), metal: true }, // Ge
    Row { states: &[-3, 1, 2, 3, 5], electronegativity: Some(2.18), metal: false }, // As
    Row { states: &[-2, 1, 2, 4, 6], electronegativity: Some(2.55), metal: false }, // Se
    Row { states: &[-1, 1, 2, 3, 4, 5, 7], electronegativity: Some(2.96), metal: false }, // Br
    Row { states: &[2], electronegativity: Some(3.0), metal: false }, // Kr
    Row { states: &[-1, 1], electronegativity: Some(0.82), metal: true }, // Rb
    Row { states: &[1, 2], electronegativity: Some(0.95), metal: true }, // Sr
    Row { states: &[1, 2, 3], electronegativity: Some(1.22), metal: true }, // Y
    Row { states: &[1, 2, 3, 4], electronegativity: Some(0.33), metal: true }, // Zr
    Row { states: &[-1, 1, 2, 3, 4, 5], electronegativity: Some(1.6), metal: true }, // Nb
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6], electronegativity: Some(2.16), metal: true }, // Mo
    Row { states: &[-3, -1, 1, 2, 3, 4, 5, 6, 7], electronegativity: Some(2.1), metal: true }, // Tc
    Row { states: &[-2, 1, 2, 3, 4, 5, 6, 7, 8], electronegativity: Some(2.2), metal: true }, // Ru
    Row { states: &[-1, 1, 2, 3, 4, 5, 6], electronegativity: Some(2.28), metal: true }, // Rh
    Row { states: &[1, 2, 4, 6], electronegativity: Some(2.2), metal: true }, // Pd
    Row { states: &[1, 2, 3, 4], electronegativity: Some(1.93), metal: true }, // Ag
    Row { states: &[1, 2], electronegativity: Some(1.69), metal: true }, // Cd
    Row { states: &[1, 2, 3], electronegativity: Some(1.78), metal: true }, // In
    Row { states: &[-4, 2, 4], electronegativity: Some(1.96), metal: true }, // Sn
    Row { states: &[-3, 3, 5], electronegativity: Some(2.05), metal: true }, // Sb
    Row { states: &[-2, 2, 4, 5, 6], electronegativity: Some(2.1), metal: false }, // Te
    Row { states: &[-1, 1, 3, 4, 5, 7], electronegativity: Some(2.66), metal: false }, // I
    Row { states: &[1, 2, 4, 6, 8], electronegativity: Some(2.6), metal: false }, // Xe
    Row { states: &[-1, 1], electronegativity: Some(0.79), metal: true }, // Cs
    Row { states: &[2], electronegativity: Some(0.89), metal: true }, // Ba
    Row { states: &[2, 3], electronegativity: Some(1.1), metal: true }, // La
    Row { states: &[2, 3, 4], electronegativity: Some(1.12), metal: true }, // Ce
    Row { states: &[2, 3, 4], electronegativity: Some(1.13), metal: true }, // Pr
    Row { states: &[2, 3, 4], electronegativity: Some(1.14), metal: true }, // Nd
    Row { states: &[2, 3], electronegativity: None, metal: false }, // Pm
    Row { states: &[2, 3], electronegativity: Some(1.17), metal: true }, // Sm
    Row { states: &[2, 3], electronegativity: Some(1.2), metal: true }, // Eu
    Row { states: &[1, 2, 3], electronegativity: Some(1.2), metal: true }, // Gd
    Row { states: &[1, 2, 3, 4], electronegativity: Some(1.2), metal: true }, // Tb
    Row { states: &[2, 3, 4], electronegativity: Some(1.22), metal: true }, // Dy
    Row { states: &[2, 3], electronegativity: Some(1.23), metal: true }, // Ho
    Row { states: &[2, 3], electronegativity: Some(1.24), metal: true }, // Er
    Row { states: &[2, 3], electronegativity: Some(1.25), metal: true }, // Tm
    Row { states: &[2, 3], electronegativity: Some(1.1), metal: true }, // Yb
    Row { states: &[3], electronegativity: Some(1.0), metal: true }, // Lu
    Row { states: &[2, 3, 4], electronegativity: Some(1.3), metal: true }, // Hf
    Row { states: &[-1, 2, 3, 4, 5], electronegativity: Some(1.5), metal: true }, // Ta
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6], electronegativity: Some(1.7), metal: true }, // W
    Row { states: &[-3, -1, 1, 2, 3, 4, 5, 6, 7], electronegativity: Some(1.9), metal: true }, // Re
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6, 7, 8], electronegativity: Some(2.2), metal: true }, // Os
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6, 7, 8], electronegativity: Some(2.2), metal: true }, // Ir
    Row { states: &[-2, -1, 1, 2, 3, 4, 5, 6], electronegativity: Some(2.2), metal: true }, // Pt
    Row { states: &[-1, 1, 2, 3, 5], electronegativity: Some(2.4), metal: true }, // Au
    Row { states: &[1, 2, 4], electronegativity: Some(1.9), metal: true }, // Hg
    Row { states: &[-1, 1, 3], electronegativity: Some(1.8), metal: true }, // Tl
    Row { states: &[-4, 2, 4], electronegativity: Some(1.8), metal: true }, // Pb
    Row { states: &[-3, 1, 3, 5, 7], electronegativity: Some(1.9), metal: true }, // Bi
    Row { states: &[-2, 2, 4, 5, 6], electronegativity: Some(2.0), metal: true }, // Po
    Row { states: &[-1, 1, 3, 5, 7], electronegativity: Some(2.2), metal: false }, // At
    Row { states: &[2, 6], electronegativity: None, metal: false }, // Rn
    Row { states: &[1], electronegativity: Some(0.7), metal: true }, // Fr
    Row { states: &[2], electronegativity: Some(0.9), metal: true }, // Ra
    Row { states: &[2, 3], electronegativity: Some(1.1), metal: true }, // Ac
    Row { states: &[2, 3, 4], electronegativity: Some(1.3), metal: true }, // Th
    Row { states: &[2, 3, 4, 5], electronegativity: Some(1.5), metal: true }, // Pa
    Row { states: &[2, 3, 4, 5, 6], electronegativity: Some(1.7), metal: true }, // U
    Row { states: &[3, 4, 5, 6, 7], electronegativity: Some(1.3), metal: true }, // Np
    Row { states: &[2, 3, 4, 5, 6, 7, 8], electronegativity: Some(1.3), metal: true }, // Pu
    Row { states: &[2, 3, 4, 5, 6, 7], electronegativity: Some(1.3), metal: true }, // Am
    Row { states: &[2, 3, 4, 6, 8], electronegativity: Some(1.3), metal: true }, // Cm
    Row { states: &[2, 3, 4], electronegativity: Some(1.3), metal: true }, // Bk
    Row { states: &[2, 3, 4], electronegativity: Some(1.3), metal: true }, // Cf
    Row { states: &[2, 3, 4], electronegativity: Some(1.3), metal: true }, // Es
    Row { states: &[2, 3], electronegativity: Some(1.3), metal: true }, // Fm
    Row { states: &[2, 3], electronegativity: Some(1.3), metal: true }, // Md
    Row { states: &[2, 3], electronegativity: Some(1.3), metal: true }, // No
    Row { states: &[3], electronegativity: None, metal: false }, // Lr
];
