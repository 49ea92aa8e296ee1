//! Which atoms are to blame for the contacts.

use std::collections::{BTreeMap, BTreeSet};

use crate::contacts::Contact;

/// Splits the contacts among as few atoms as explain them: again and again the atom with most of the
/// contacts that are left takes them all; between equals the later row, which is the newer one.
pub(super) fn by_culprit<'c>(short: &[&'c Contact]) -> Vec<(usize, Vec<&'c Contact>)> {
    let mut by_site: BTreeMap<usize, Vec<&Contact>> = BTreeMap::new();
    for contact in short {
        by_site.entry(contact.a).or_default().push(contact);
        if contact.a != contact.b {
            by_site.entry(contact.b).or_default().push(contact);
        }
    }
    let mut left: BTreeMap<usize, usize> = by_site.iter().map(|(s, c)| (*s, c.len())).collect();
    let mut queue: BTreeSet<(usize, usize)> = left.iter().map(|(s, n)| (*n, *s)).collect();
    let mut groups = Vec::new();
    while let Some((count, site)) = queue.pop_last() {
        left.remove(&site);
        if count == 0 {
            continue;
        }
        let mut group = Vec::with_capacity(count);
        for contact in &by_site[&site] {
            let other = if contact.a == site { contact.b } else { contact.a };
            if other == site {
                group.push(*contact);
            } else if let Some(n) = left.get_mut(&other) {
                group.push(*contact);
                queue.remove(&(*n, other));
                *n -= 1;
                queue.insert((*n, other));
            }
        }
        group.sort_by(|x, y| x.distance.total_cmp(&y.distance));
        groups.push((site, group));
    }
    groups.sort_by_key(|(site, _)| *site);
    groups
}
