//! Hermann–Mauguin symbols as files spell them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Setting;
use super::spacegroup::{HALL_NUMBERS, entry};

/// All settings a symbol may stand for, the conventional one first: origin choice 2 and hexagonal axes
/// where the symbol does not say.
pub(super) fn candidates(symbol: &str) -> Vec<Setting> {
    let Some((body, choice)) = split_choice(&normalise(symbol)) else { return Vec::new() };
    let named = NAMES.by_symbol.get(&body).map_or(&[][..], Vec::as_slice);
    let mut found: Vec<_> =
        named.iter().copied().filter(|n| admits(entry(*n).setting, &choice)).collect();
    found.sort_by_key(|n| (entry(*n).setting.starts_with('1'), *n));
    found.into_iter().filter_map(Setting::from_hall_number).collect()
}

/// The symbol this crate writes for a setting; [`candidates`] gives the setting back.
pub(super) fn display(hall_number: u16) -> &'static str {
    &NAMES.display[usize::from(hall_number) - 1]
}

/// The symbol of the group without the suffix for the choice of origin or axes.
pub(super) fn without_choice(hall_number: u16) -> &'static str {
    display(hall_number).split(" :").next().unwrap_or_default()
}

struct Names {
    display: Vec<String>,
    /// Hall numbers by symbol without spaces and choice.
    by_symbol: HashMap<String, Vec<u16>>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names { display: Vec::new(), by_symbol: HashMap::new() };
    // The usual meaning of a symbol is entered before what only fills a gap.
    for number in HALL_NUMBERS {
        let full = plain(entry(number).hm_full);
        let short = short(number);
        if !(FIRST_MONOCLINIC..=LAST_MONOCLINIC).contains(&number) {
            names.enter(&plain(entry(number).hm_short), number);
        }
        for symbol in [&short, &full, &old(number, &short), &full_with_twos(&full, &short)] {
            names.enter(symbol, number);
        }
        let choice = entry(number).setting.get(..1).filter(|c| "12HR".contains(c));
        let suffix = choice.map(|c| format!(" :{c}")).unwrap_or_default();
        names.display.push(format!("{}{suffix}", shown(number)));
    }
    for number in HALL_NUMBERS {
        let symbols = [short(number), plain(entry(number).hm_full)];
        for symbol in symbols {
            // International Tables wrote m3m for m-3m until 1983.
            if entry(number).number >= FIRST_CUBIC {
                names.fill(&symbol.replace("-3", "3"), number);
            }
        }
        // The short symbol of a monoclinic group means unique axis b; where none has that symbol, it
        // is c, the first setting of the older tables, at last a.
        if (FIRST_MONOCLINIC..=LAST_MONOCLINIC).contains(&number) {
            names.fill(&contracted(number), number);
        }
    }
    names
});

impl Names {
    fn enter(&mut self, symbol: &str, number: u16) {
        let list = self.by_symbol.entry(compact(symbol)).or_default();
        if !list.contains(&number) {
            list.push(number);
        }
    }

    /// Enters a symbol that no other group has by right.
    fn fill(&mut self, symbol: &str, number: u16) {
        let list = self.by_symbol.entry(compact(symbol)).or_default();
        let same_group =
            |n: &u16| entry(*n).number == entry(number).number && number > LAST_MONOCLINIC;
        if list.iter().all(same_group) && !list.contains(&number) {
            list.push(number);
        }
    }
}

const FIRST_MONOCLINIC: u16 = 3;
const LAST_MONOCLINIC: u16 = 107;
const FIRST_CUBIC: i32 = 195;

/// Screw axes without the underscore.
fn plain(symbol: &str) -> String {
    symbol.replace('_', "")
}

fn compact(symbol: &str) -> String {
    symbol.split(' ').collect()
}

/// `P 21/n` from `P 1 21/n 1`.
fn contracted(number: u16) -> String {
    let full = plain(entry(number).hm_full);
    full.split(' ').filter(|part| *part != "1").collect::<Vec<_>>().join(" ")
}

/// The short symbol: for monoclinic groups only with unique axis b, where it leaves nothing open.
fn short(number: u16) -> String {
    match number {
        FIRST_MONOCLINIC..=LAST_MONOCLINIC if entry(number).setting.contains('b') => {
            contracted(number)
        }
        FIRST_MONOCLINIC..=LAST_MONOCLINIC => plain(entry(number).hm_full),
        // The table names this one setting with the letter of the older tables.
        331 => "B b e b".to_owned(),
        _ => plain(entry(number).hm_short),
    }
}

/// The short symbol, but with the older letter for the double glide `e` where another setting of the
/// group has the same symbol.
fn shown(number: u16) -> String {
    let short = short(number);
    if matches!(number, 317 | 319 | 321 | 324 | 325 | 328 | 329 | 332 | 333) {
        old(number, &short)
    } else {
        short
    }
}

/// The symbol of before 1992, when the double glide got the letter `e` of its own.
fn old(number: u16, short: &str) -> String {
    let letter = match number {
        192 | 195 | 204 | 207 | 304 | 309 | 316 | 321..=323 | 332 | 333 => "a",
        193 | 196 | 205 | 208 | 307 | 308 | 319 | 320 | 328..=331 => "c",
        _ => "b",
    };
    short.replace('e', letter)
}

/// `P 4/n 21/m 2/m` where the table has `P 4/n 21/m m`.
fn full_with_twos(full: &str, short: &str) -> String {
    if full == short || !full.contains(" 21/") {
        return full.to_owned();
    }
    let parts = full.split(' ').map(|part| match part {
        "m" | "c" => format!("2/{part}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// Whether a setting of the table agrees with a choice that the symbol names.
fn admits(setting: &str, choice: &str) -> bool {
    let origins = setting.starts_with(['1', '2']);
    match choice {
        "" => true,
        "1" => setting.starts_with('1') || !origins,
        "2" => setting.starts_with('2'),
        other => setting.eq_ignore_ascii_case(other),
    }
}

/// Separates the choice of origin, axes or cell, from a symbol without spaces.
fn split_choice(symbol: &str) -> Option<(String, String)> {
    let (body, choice) = match symbol.split_once(':') {
        Some((body, choice)) => (body, choice.to_ascii_lowercase()),
        None => {
            // No glide plane has one of these letters, so they can only be a choice.
            let body = symbol.trim_end_matches(['h', 'r', 's', 'z']);
            (body, symbol[body.len()..].to_owned())
        }
    };
    let choice = match choice.as_str() {
        "s" => "1".to_owned(),
        "z" => "2".to_owned(),
        "hr" => "h".to_owned(),
        _ => choice,
    };
    // The Protein Data Bank writes H for R with hexagonal axes.
    match body {
        "H3" | "H32" if choice.is_empty() => Some((body.replace('H', "R"), "h".to_owned())),
        "" => None,
        _ => Some((body.to_owned(), choice)),
    }
}

/// Without spaces, underscores and parentheses; bars in front as `-`; the lattice letter upper and
/// all others lower case.
fn normalise(symbol: &str) -> String {
    let mut text = String::new();
    for c in symbol.trim().replace("bar", "-").chars() {
        match c {
            ' ' | '\t' | '_' | '(' | ')' | '\'' | '"' | '\u{a0}' => {}
            // An overline over the digit before.
            '\u{304}' | '\u{305}' => text.push('-'),
            '\u{2212}' | '\u{2013}' | '\u{af}' => text.push('-'),
            '\u{2081}'..='\u{2086}' => text.push(char::from(b'0' + (c as u32 - 0x2080) as u8)),
            _ if text.is_empty() => text.extend(c.to_uppercase()),
            _ => text.extend(c.to_lowercase()),
        }
    }
    bars_in_front(&text)
}

/// `m3-m` to `m-3m`: a bar that follows its digit is put before it. No symbol of the notation has a
/// `-` between a digit and what follows, so nothing else is touched.
fn bars_in_front(text: &str) -> String {
    let (body, choice) = text.split_at(text.find(':').unwrap_or(text.len()));
    let mut chars: Vec<char> = body.chars().collect();
    for i in 1..chars.len() {
        if chars[i] == '-' && chars[i - 1].is_ascii_digit() && (i < 2 || chars[i - 2] != '-') {
            chars.swap(i - 1, i);
        }
    }
    chars.into_iter().chain(choice.chars()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hall numbers a symbol stands for.
    fn halls(symbol: &str) -> Vec<u16> {
        candidates(symbol).into_iter().map(Setting::hall_number).collect()
    }

    #[test]
    fn every_setting_is_found_by_the_symbol_it_is_written_with() {
        for setting in Setting::all() {
            assert_eq!(halls(setting.hm())[0], setting.hall_number(), "{}", setting.hm());
        }
    }

    #[test]
    fn every_tabulated_symbol_means_its_own_group() {
        for setting in Setting::all() {
            let row = entry(setting.hall_number());
            for symbol in [row.hm_full, &plain(row.hm_full), &compact(row.hm_full)] {
                let found = candidates(symbol);
                assert!(found.contains(&setting), "{symbol}");
                assert!(found.iter().all(|s| s.number() == setting.number()), "{symbol}");
            }
            // The table's short symbol of a monoclinic group is that of its standard setting.
            let found = candidates(row.hm_short);
            assert!(found.iter().any(|s| s.number() == setting.number()), "{}", row.hm_short);
        }
    }

    #[test]
    fn symbols_with_two_readings_list_the_usual_one_first() {
        assert_eq!(halls("F d -3 m"), [526, 525]);
        assert_eq!(halls("R -3 m"), [458, 459]);
        assert_eq!(halls("P n n n"), [229, 228]);
        assert_eq!(halls("P 21/c"), [81]);
        assert_eq!(halls("C c c a"), [323, 322]);
        assert_eq!(halls("C m m e"), [316, 317]);
    }

    #[test]
    fn spellings_of_real_files() {
        #[rustfmt::skip]
        let spellings = [
            (81, "P 21/c"), (81, "P2_1/c"), (81, "P 1 21/c 1"), (81, "P2(1)/c"), (81, "p 21/c"),
            (81, "P_1_21/c_1"), (81, "P 21/C"),
            (82, "P 21/n"), (82, "P2_1/n"), (82, "P 1 21/n 1"), (83, "P 21/a"),
            (89, "P 21/c 1 1"), (86, "P 1 1 21/b"), (86, "P 21/b"), (87, "P 21/b 1 1"),
            (90, "C 2/c"), (90, "C 1 2/c 1"), (95, "I 1 2/c 1"), (93, "A 1 2/a 1"), (92, "I 2/a"),
            (42, "A 1 a 1"), (99, "B 2/b"), (9, "C 2"), (63, "C2/m"), (30, "Cm"), (65, "I 1 2/m 1"),
            (6, "P 1 21 1"), (6, "P21"), (7, "P 1 1 21"),
            (292, "Pnma"), (292, "P n m a"), (292, "P N M A"), (294, "P b n m"), (295, "P c m n"),
            (292, "P 21/n 21/m 21/a"), (115, "P212121"), (115, "P 21 21 21"),
            (304, "C m c a"), (304, "C m c e"), (307, "A c a m"), (319, "A c m m"), (309, "B m a b"),
            (191, "A b m 2"), (203, "A b a 2"), (158, "P 21 n m"), (159, "P n 21 m"),
            (523, "Fm-3m"), (523, "F m 3 m"), (523, "F m -3 m"), (523, "Fm3m"), (523, "F m 3- m"),
            (523, "F m \u{305}3 m"), (523, "F m 3\u{305} m"), (523, "F 4/m -3 2/m"), (523, "FM-3M"),
            (517, "P 4/m -3 2/m"), (517, "P m 3 m"), (500, "I m 3"), (501, "P a 3"), (496, "P n 3"),
            (524, "F m 3 c"), (530, "I a 3 d"), (528, "F d 3 c"), (499, "F d 3"),
            (526, "F d -3 m :2"), (526, "F d -3 m:2"), (526, "F d -3 m Z"), (525, "F d -3 m S"),
            (525, "F d -3 m :1"), (525, "F d 3 m s"), (525, "Fd-3mS"), (526, "F d 3 m"),
            (460, "R -3 c :H"), (460, "R-3cH"), (460, "R -3 c H"), (460, "R -3 c"), (460, "R -3 2/c"),
            (461, "R -3 c :R"), (461, "R-3c:r"), (460, "R -3 c HR"), (452, "R 3 c h"), (433, "H 3"),
            (444, "H 3 2"), (458, "R -3 m h"), (480, "P 63 m c"), (480, "P6_3mc"),
            (488, "P 63/m m c"), (488, "P 6(3)/m m c"), (488, "P 6_3/m m c"), (488, "P6₃/mmc"),
            (419, "P 42/m n m"), (419, "P 4(2)/mnm"), (419, "P42/mnm"), (427, "I 41/a m d"),
            (426, "I 41/a m d S"), (408, "P 4/n m m :1"), (409, "P 4/n 21/m 2/m :2"),
            (406, "P 4/m 21/b 2/m"), (456, "P -3 m 1"), (456, "P -3 2/m 1"), (441, "P 31 2 1"),
            (440, "P 31 1 2"), (2, "P -1"), (2, "P-1"), (2, "P 1-"), (2, "P\u{af}1"), (1, "P1"),
            (281, "P n m m :2cab"), (292, "P n m a :1"),
        ];
        for (hall, symbol) in spellings {
            assert_eq!(halls(symbol).first(), Some(&hall), "{symbol}");
        }
    }

    #[test]
    fn what_is_no_tabulated_symbol_is_nothing() {
        for symbol in [
            "",
            " ",
            ":",
            ":H",
            "?",
            ".",
            "P",
            "Q n m a",
            "P n m a :2",
            "P n m a :H",
            "P 21/c :R",
            "F d -3 m :3",
            "C -1",
            "F 1 2/d 1",
            "P n m q",
            "H 3 m",
            "R",
            "C 1 1 21/d",
            "\u{305}",
        ] {
            assert!(halls(symbol).is_empty(), "{symbol}: {:?}", halls(symbol));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(symbol in "[-PFR1236 /:_()abcdmnHSZ\u{305}é]{0,12}") {
            let _ = candidates(&symbol);
        }
    }
}
