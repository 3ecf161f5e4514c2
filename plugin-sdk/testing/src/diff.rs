//! The difference of two texts, line by line.

/// Unchanged lines that are shown around a change.
const AROUND: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'t> {
    Same(&'t str),
    Gone(&'t str),
    New(&'t str),
}

/// The lines that differ, each with `-` or `+`, and a few around them; `…` where lines are left out.
pub(crate) fn lines(old: &str, new: &str) -> String {
    let script = script(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let changed: Vec<bool> = script.iter().map(|line| !matches!(line, Line::Same(_))).collect();
    let near = |at: usize| changed[at.saturating_sub(AROUND)..(at + AROUND + 1).min(changed.len())].contains(&true);
    let mut text = String::new();
    let mut left_out = false;
    for (at, line) in script.iter().enumerate() {
        let (mark, line) = match *line {
            Line::Gone(line) => ('-', line),
            Line::New(line) => ('+', line),
            Line::Same(line) if near(at) => (' ', line),
            Line::Same(_) => {
                left_out = true;
                continue;
            }
        };
        if std::mem::take(&mut left_out) {
            text.push_str("  …\n");
        }
        text.extend([mark, ' ']);
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The shortest way from the old lines to the new ones.
fn script<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut script: Vec<Line<'t>> = old[..start].iter().map(|&line| Line::Same(line)).collect();
    middle(&old[start..old.len() - end], &new[start..new.len() - end], &mut script);
    script.extend(old[old.len() - end..].iter().map(|&line| Line::Same(line)));
    script
}

fn middle<'t>(old: &[&'t str], new: &[&'t str], script: &mut Vec<Line<'t>>) {
    // common[i][j]: length of the longest common part of what follows old line i and new line j.
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            script.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            script.push(Line::Gone(old[i]));
            i += 1;
        } else {
            script.push(Line::New(new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_are_shown_with_a_few_around_them() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(lines(old, &old.replace('5', "x")), "  …\n  2\n  3\n  4\n- 5\n+ x\n  6\n  7\n  8\n");
        assert_eq!(lines("a\nb\n", "b\nc\n"), "- a\n  b\n+ c\n");
        assert_eq!(lines("", "a\n"), "+ a\n");
        assert_eq!(lines("a\n", "a\n"), "");
    }
}
