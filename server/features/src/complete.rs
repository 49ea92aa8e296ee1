//! What an editor shows and offers of a completion: the best guess behind a masked site, one action for each element, one for all masked
//! sites together, and the elements that might stand for another.

use cellwright_crystal::Element;
use cellwright_syntax::edit::{EditError, SiteGroup, name_sites, site_groups};
use cellwright_syntax::{Parsed, Reading, Span, TextEdit};

use crate::energy::refusal_unless_masked;
use crate::hints::Hint;
use crate::predict::percent;

/// What a model says about the open groups of one reading ([`open_groups`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// For each group the elements and their chances, the likeliest first.
    pub groups: Vec<Vec<(Element, f64)>>,
    /// An element for every group, the likeliest first.
    pub joint: Vec<Joint>,
    /// Model, version and device.
    pub model: String,
}

/// An element for every open group.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// In the order of the groups.
    pub elements: Vec<Element>,
    /// Chance that all are right.
    pub probability: f64,
    /// Whether usual oxidation states add up to zero.
    pub charge_balanced: Option<bool>,
}

/// A change to be offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Imperative: `Complete X1 → O (92 %)`.
    pub title: String,
    /// What it does.
    pub edits: Vec<TextEdit>,
}

/// Elements of one site that are offered, and assignments of all.
const MOST: (usize, usize) = (5, 3);

/// What is less likely (1 %) is not offered, but for the best.
const LEAST: f64 = 0.01;

/// The groups without an element; none where a model could not be asked about the reading at all.
#[must_use]
pub fn open_groups(parsed: &Parsed, reading: &Reading) -> Vec<SiteGroup> {
    if reading.sites.iter().all(|s| s.element.is_some()) || refusal_unless_masked(reading).is_some()
    {
        return Vec::new();
    }
    site_groups(parsed, reading).into_iter().filter(|group| group.open).collect()
}

/// The best guess behind every masked site.
#[must_use]
pub fn hints(parsed: &Parsed, reading: &Reading, completion: &Completion) -> Vec<Hint> {
    let groups = open_groups(parsed, reading);
    let known = groups.iter().zip(&completion.groups);
    known
        .filter_map(|(group, chances)| {
            let (best, chance) = chances.first()?;
            let site = &reading.sites[group.rows[0]];
            // A POSCAR asks on line 6, a CIF in the row.
            let in_row = |span: &Span| site.row.start <= span.start && span.end <= site.row.end;
            let asked = site.symbol_span.filter(|span| !in_row(span)).unwrap_or(site.row);
            Some(Hint {
                offset: asked.end,
                label: format!("{best} {}?", percent(*chance)),
                tooltip: format!(
                    "{} after {}: {}. The quick actions write one of them.",
                    group.name,
                    completion.model,
                    list(chances)
                ),
            })
        })
        .collect()
}

/// `O 92 %, S 5 %, F 2 %`.
fn list(chances: &[(Element, f64)]) -> String {
    let shown = chances.iter().take(MOST.0).map(|(e, p)| format!("{e} {}", percent(*p)));
    shown.collect::<Vec<_>>().join(", ")
}

/// What can be done about the masked sites that a selection touches: an element for one of them, or for all together.
#[must_use]
pub fn offers(
    parsed: &Parsed,
    reading: &Reading,
    completion: &Completion,
    selected: Span,
) -> Vec<Offer> {
    let groups = open_groups(parsed, reading);
    let mut offers = Vec::new();
    let touched = |group: &SiteGroup| touches(reading, group, selected);
    for (group, chances) in groups.iter().zip(&completion.groups).filter(|(g, _)| touched(g)) {
        let title = |e: Element, p: f64| format!("Complete {} → {e} ({})", group.name, percent(p));
        offers.extend(named(parsed, reading, group, chances, MOST.0, title));
    }
    if groups.len() < 2 || !groups.iter().any(touched) {
        return offers;
    }
    let likely =
        completion.joint.iter().enumerate().filter(|(i, j)| *i == 0 || j.probability >= LEAST);
    for (_, joint) in likely.take(MOST.1) {
        let pairs: Vec<(&SiteGroup, Element)> =
            groups.iter().zip(joint.elements.iter().copied()).collect();
        let Ok(edits) = name_sites(parsed, reading, &pairs) else { continue };
        let names: Vec<String> = pairs.iter().map(|(g, e)| format!("{} {e}", g.name)).collect();
        let charges = if joint.charge_balanced == Some(true) { ", charges balance" } else { "" };
        offers.push(Offer {
            title: format!(
                "Complete all {} masked sites → {} ({}{charges})",
                groups.len(),
                names.join(", "),
                percent(joint.probability)
            ),
            edits,
        });
    }
    offers
}

/// Elements that might stand where another does now, the likeliest first: all that have a chance worth speaking of.
#[must_use]
pub fn substitutes(
    parsed: &Parsed,
    reading: &Reading,
    group: &SiteGroup,
    chances: &[(Element, f64)],
) -> Vec<(Element, f64, Offer)> {
    let now = reading.sites[group.rows[0]].element;
    let others = chances.iter().filter(|(e, _)| Some(*e) != now);
    others
        .take(20)
        .filter_map(|(e, p)| {
            let edits = name_sites(parsed, reading, &[(group, *e)]).ok()?;
            let title = format!("{} → {e}", group.name);
            Some((*e, *p, Offer { title, edits }))
        })
        .collect()
}

/// The group that a selection begins in, whatever sits there now.
#[must_use]
pub fn group_at(parsed: &Parsed, reading: &Reading, selected: Span) -> Option<SiteGroup> {
    let at = Span::at(selected.start);
    site_groups(parsed, reading).into_iter().find(|group| touches(reading, group, at))
}

fn touches(reading: &Reading, group: &SiteGroup, selected: Span) -> bool {
    let meets = |span: Span| span.start <= selected.end && selected.start <= span.end;
    group.rows.iter().map(|row| &reading.sites[*row]).any(|site| {
        meets(site.row) || meets(site.label_span) || site.symbol_span.is_some_and(meets)
    })
}

/// One offer for each likely element.
fn named(
    parsed: &Parsed,
    reading: &Reading,
    group: &SiteGroup,
    chances: &[(Element, f64)],
    most: usize,
    title: impl Fn(Element, f64) -> String,
) -> Vec<Offer> {
    let likely = chances.iter().enumerate().filter(|(i, (_, p))| *i == 0 || *p >= LEAST);
    let offer = |(_, (e, p)): (usize, &(Element, f64))| -> Result<Offer, EditError> {
        let edits = name_sites(parsed, reading, &[(group, *e)])?;
        Ok(Offer { title: title(*e, *p), edits })
    };
    likely.take(most).filter_map(|x| offer(x).ok()).collect()
}

#[cfg(test)]
mod tests {
    use cellwright_syntax::text::apply_edits;

    use super::*;
    use crate::fixtures::{POSCAR, RUTILE, cif, poscar};

    fn element(symbol: &str) -> Element {
        symbol.parse().unwrap()
    }

    type Chances<'a> = &'a [(&'a str, f64)];

    fn completion(groups: &[Chances<'_>], joint: &[(&[&str], f64)]) -> Completion {
        let pairs = |list: &Chances<'_>| list.iter().map(|(s, p)| (element(s), *p)).collect();
        let together = |(symbols, probability): &(&[&str], f64)| Joint {
            elements: symbols.iter().map(|s| element(s)).collect(),
            probability: *probability,
            charge_balanced: Some(true),
        };
        Completion {
            groups: groups.iter().map(pairs).collect(),
            joint: joint.iter().map(together).collect(),
            model: "Fake 1".to_owned(),
        }
    }

    fn at(text: &str, part: &str) -> Span {
        Span::at(text.find(part).unwrap())
    }

    #[test]
    fn one_masked_site_has_an_action_for_each_element() {
        let text = RUTILE.replace("O1 O", "O1 ?");
        let parsed = cif(&text);
        let reading = &parsed.readings[0];
        let said = completion(
            &[&[("O", 0.92), ("S", 0.05), ("F", 0.02), ("Cl", 0.004)]],
            &[(&["O"], 0.92)],
        );
        let offers = offers(&parsed, reading, &said, at(&text, "O1 ?"));
        let titles: Vec<_> = offers.iter().map(|o| o.title.as_str()).collect();
        assert_eq!(
            titles,
            ["Complete O1 → O (92 %)", "Complete O1 → S (5 %)", "Complete O1 → F (2 %)"]
        );
        assert_eq!(apply_edits(&text, &offers[0].edits), RUTILE);
        assert_eq!(super::offers(&parsed, reading, &said, at(&text, "Ti1 Ti")), []);
        let hints = hints(&parsed, reading, &said);
        assert_eq!((hints.len(), hints[0].label.as_str()), (1, "O 92 %?"));
        assert!(text[..hints[0].offset].ends_with("0.3053(2) 0.0"));
        assert!(
            hints[0].tooltip.contains("O 92 %, S 5 %, F 2 %, Cl < 1 %"),
            "{}",
            hints[0].tooltip
        );
    }

    #[test]
    fn several_masked_sites_can_be_completed_together() {
        let text = POSCAR.replace("Cs Cl", "X ?");
        let parsed = poscar(&text);
        let reading = &parsed.readings[0];
        let said = completion(
            &[&[("Cs", 0.7), ("Na", 0.3)], &[("Cl", 0.9)]],
            &[(&["Cs", "Cl"], 0.66), (&["Na", "Cl"], 0.2), (&["Na", "I"], 0.001)],
        );
        let found = offers(&parsed, reading, &said, at(&text, "X ?"));
        let titles: Vec<_> = found.iter().map(|o| o.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "Complete X → Cs (70 %)",
                "Complete X → Na (30 %)",
                "Complete all 2 masked sites → X Cs, ? Cl (66 %, charges balance)",
                "Complete all 2 masked sites → X Na, ? Cl (20 %, charges balance)",
            ]
        );
        assert_eq!(apply_edits(&text, &found[2].edits), POSCAR);
        // A row of the group touches it as well, and the hint stands where it is asked.
        assert_eq!(offers(&parsed, reading, &said, at(&text, "0.5 0.5")).len(), 3);
        let hints = hints(&parsed, reading, &said);
        assert!(text[..hints[0].offset].ends_with("\nX"), "{hints:?}");
    }

    #[test]
    fn a_site_with_an_element_has_substitutes() {
        let parsed = cif(RUTILE);
        let reading = &parsed.readings[0];
        let group = group_at(&parsed, reading, at(RUTILE, "Ti1 Ti")).unwrap();
        let chances = [(element("Ti"), 0.5), (element("Zr"), 0.3), (element("Sn"), 0.2)];
        let found = substitutes(&parsed, reading, &group, &chances);
        let elements: Vec<_> = found.iter().map(|(e, ..)| e.symbol()).collect();
        assert_eq!(elements, ["Zr", "Sn"]);
        assert_eq!(found[0].2.title, "Ti1 → Zr");
        assert_eq!(apply_edits(RUTILE, &found[0].2.edits), RUTILE.replace("Ti1 Ti", "Ti1 Zr"));
        assert_eq!(group_at(&parsed, reading, at(RUTILE, "_cell_length_a")), None);
    }

    #[test]
    fn what_no_model_could_be_asked_about_is_not_open() {
        let open = |text: &str| open_groups(&cif(text), &cif(text).readings[0]).len();
        assert_eq!(open(&RUTILE.replace("O1 O", "O1 ?")), 1);
        assert_eq!(open(RUTILE), 0);
        assert_eq!(open(&RUTILE.replace("O1 O", "O1 ?").replace("_cell_", "_no_")), 0);
    }
}
