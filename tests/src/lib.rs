//! Helpers shared by the project-wide tests.
