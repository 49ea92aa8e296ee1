//! Real files, damaged at random: whatever stands in the text, reading, checking, showing and mending it ends
//! without a panic, every place lies in the text, and an edited document is a fresh one.
//!
//! `CELLWRIGHT_FUZZ_CASES` (default 200) says how many damaged files each law sees.

mod damage;
mod laws;
mod seeds;

use cellwright_syntax::text::decode;
use proptest::prelude::*;

use damage::damages;
use seeds::seeds;

fn config() -> ProptestConfig {
    let cases = std::env::var("CELLWRIGHT_FUZZ_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases.unwrap_or(200)) }
}

/// A seed by any number.
fn seed(n: prop::sample::Index) -> &'static seeds::Seed {
    let seeds = seeds();
    &seeds[n.index(seeds.len())]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_can_be_read_and_checked(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (text, _) = decode(&bytes);
        for language in seeds::LANGUAGES {
            laws::hold(language, &text);
        }
    }

    #[test]
    fn damaged_files_are_survived(n in any::<prop::sample::Index>(), damages in damages(1..8)) {
        let seed = seed(n);
        let mut text = seed.text.clone();
        damages.iter().for_each(|damage| damage.apply(&mut text));
        laws::hold(seed.language, &text);
    }

    #[test]
    fn damaged_bytes_are_survived(
        n in any::<prop::sample::Index>(),
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let seed = seed(n);
        let mut damaged = seed.text.clone().into_bytes();
        for (at, byte) in bytes {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        laws::hold(seed.language, &decode(&damaged).0);
    }

    #[test]
    fn one_format_is_survived_as_the_other(
        n in any::<prop::sample::Index>(),
        damages in damages(0..3),
    ) {
        let seed = seed(n);
        let mut text = seed.text.clone();
        damages.iter().for_each(|damage| damage.apply(&mut text));
        for language in seeds::LANGUAGES {
            laws::hold(language, &text);
        }
    }

    #[test]
    fn an_edited_document_is_a_fresh_one(
        n in any::<prop::sample::Index>(),
        damages in damages(1..8),
    ) {
        let seed = seed(n);
        laws::incremental_is_fresh(seed.language, &seed.text, &damages);
    }
}
