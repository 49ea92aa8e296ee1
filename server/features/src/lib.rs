//! Editor features as plain functions over a [`cellwright_syntax::Parsed`]: plain structs with byte offsets, one
//! module per feature. Knows no LSP and runs no models: what a model said comes in as numbers.
