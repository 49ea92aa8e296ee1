//! The rules, one file each.

use crate::Rule;

mod allow_unknown;
mod allow_unused;
mod bond_valence;
mod cell_degenerate;
mod cell_left_handed;
mod cell_missing;
mod cell_volume;
mod charge_imbalance;
mod composition_line;
mod duplicate_name;
mod formula_sum;
mod loop_arity;
mod masked_species;
mod not_checked;
mod occupancy_range;
mod occupancy_sum;
mod overfull_cell;
mod poscar_counts;
mod short_distance;
mod symmetry_cell;
mod symmetry_list;
mod symmetry_names;
mod symmetry_symbol;
mod syntax;
mod unknown_species;

/// Every rule, in the order of the manual: text, cell, symmetry, atoms, chemistry, comments.
pub(crate) static ALL: &[&Rule] = &[
    &syntax::UNTERMINATED_TEXT,
    &syntax::NO_DATA_BLOCK,
    &syntax::MISSING_VALUE,
    &syntax::STRAY_VALUE,
    &syntax::EMPTY_LOOP,
    &loop_arity::RULE,
    &duplicate_name::RULE,
    &syntax::UNEXPECTED_TOKEN,
    &syntax::TOO_LONG,
    &syntax::BAD_NUMBER,
    &syntax::MISSING_LINE,
    &syntax::BAD_LINE,
    &poscar_counts::RULE,
    &cell_missing::RULE,
    &cell_degenerate::RULE,
    &cell_left_handed::RULE,
    &cell_volume::RULE,
    &symmetry_list::RULE,
    &symmetry_symbol::RULE,
    &symmetry_names::RULE,
    &symmetry_cell::RULE,
    &unknown_species::RULE,
    &masked_species::RULE,
    &occupancy_range::RULE,
    &occupancy_sum::RULE,
    &overfull_cell::RULE,
    &short_distance::RULE,
    &not_checked::RULE,
    &formula_sum::RULE,
    &charge_imbalance::RULE,
    &bond_valence::RULE,
    &composition_line::RULE,
    &allow_unknown::RULE,
    // Sees what all the others have found.
    &allow_unused::RULE,
];

#[cfg(test)]
mod tests {
    use cellwright_syntax::Language;

    use super::ALL;
    use crate::testing::findings_as;

    #[test]
    fn codes_are_kebab_case_and_name_one_rule() {
        for (i, rule) in ALL.iter().enumerate() {
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(rule.code.chars().all(kebab) && !rule.code.starts_with('-'), "{}", rule.code);
            assert!(ALL[..i].iter().all(|r| r.code != rule.code), "{} twice", rule.code);
            assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'), "{}", rule.code);
            assert!(std::ptr::eq(crate::explain(rule.code).unwrap(), *rule));
        }
        assert!(crate::explain("no-such-rule").is_none());
    }

    /// The first example of each rule's documentation shows the fault and the second, where there is
    /// one, shows it mended: both are checked here, so the manual cannot be wrong.
    #[test]
    fn the_examples_of_the_documentation_are_true() {
        for rule in ALL {
            let examples = examples(rule.docs);
            let found = |example: &(Language, String)| {
                findings_as(example.0, &example.1).into_iter().any(|f| f.code == rule.code)
            };
            assert!(rule.docs.contains("## How to mend it"), "{} says no cure", rule.code);
            // Half a million atoms are no example for a manual; the rule has a test of its own.
            if rule.code == "not-checked" {
                continue;
            }
            let (fault, mended) = examples.split_first().expect("an example");
            assert!(found(fault), "the example of {} shows no fault", rule.code);
            for mended in mended {
                let left = findings_as(mended.0, &mended.1);
                assert!(left.is_empty(), "the mended example of {}: {left:#?}", rule.code);
            }
        }
    }

    fn examples(docs: &str) -> Vec<(Language, String)> {
        let mut examples = Vec::new();
        let mut rest = docs;
        while let Some(open) = rest.find("```") {
            let (tag, body) = rest[open + 3..].split_once('\n').expect("a fence with a body");
            let (body, after) = body.split_once("```").expect("a closed fence");
            if let Some(language) = Language::from_id(tag.trim()) {
                examples.push((language, body.to_owned()));
            }
            rest = after;
        }
        examples
    }
}
