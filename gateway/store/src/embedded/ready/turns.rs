//! Whose turn it is: workspaces in turn, and within each its lanes in turn; lanes with priority ahead of those without.

use crate::keys::Lane;
use std::collections::{HashMap, VecDeque};

/// After so many turns of lanes with priority in a row, one without has its turn: a flood of the first must not stop the second.
const AHEAD_IN_A_ROW: u32 = 8;

/// Lanes in line.
#[derive(Debug, Default)]
pub(super) struct Turns {
    ahead: Line,
    others: Line,
    ahead_in_a_row: u32,
}

#[derive(Debug, Default)]
struct Line {
    workspaces: VecDeque<u32>,
    lanes: HashMap<u32, VecDeque<Lane>>,
}

impl Turns {
    /// Puts a lane at the end of its line.
    pub(super) fn join(&mut self, lane: Lane) {
        if lane.is_ahead() { self.ahead.join(lane) } else { self.others.join(lane) }
    }

    /// Takes the lane whose turn it is out of its line.
    pub(super) fn next(&mut self) -> Option<Lane> {
        if (self.ahead_in_a_row < AHEAD_IN_A_ROW || self.others.is_empty())
            && let Some(lane) = self.ahead.next()
        {
            self.ahead_in_a_row = self.ahead_in_a_row.saturating_add(1);
            return Some(lane);
        }
        self.ahead_in_a_row = 0;
        self.others.next()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ahead.is_empty() && self.others.is_empty()
    }
}

impl Line {
    fn join(&mut self, lane: Lane) {
        let lanes = self.lanes.entry(lane.workspace).or_default();
        if lanes.is_empty() {
            self.workspaces.push_back(lane.workspace);
        }
        lanes.push_back(lane);
    }

    fn next(&mut self) -> Option<Lane> {
        let workspace = self.workspaces.pop_front()?;
        let lanes = self.lanes.get_mut(&workspace)?;
        let lane = lanes.pop_front();
        if lanes.is_empty() {
            self.lanes.remove(&workspace);
        } else {
            self.workspaces.push_back(workspace);
        }
        lane
    }

    fn is_empty(&self) -> bool {
        self.workspaces.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lanes: &[Lane]) -> Vec<(u32, u32)> {
        let mut turns = Turns::default();
        for lane in lanes {
            turns.join(*lane);
        }
        std::iter::from_fn(|| turns.next()).map(|lane| (lane.workspace, lane.resource)).collect()
    }

    #[test]
    fn workspaces_take_turns_and_so_do_the_lanes_in_each() {
        let lanes: Vec<Lane> = [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (2, 2)].map(|(w, r)| Lane::new(w, r, 0)).into();
        assert_eq!(order(&lanes), [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (1, 3)]);
    }

    #[test]
    fn lanes_with_priority_go_first() {
        let lanes = [Lane::new(1, 1, 0), Lane::new(2, 1, 0).ahead(), Lane::new(1, 2, 0), Lane::new(2, 2, 0).ahead()];
        assert_eq!(order(&lanes), [(2, 1), (2, 2), (1, 1), (1, 2)]);
    }

    #[test]
    fn a_flood_of_priority_does_not_stop_the_others() {
        let mut lanes: Vec<Lane> = (0..20).map(|r| Lane::new(1, r, 0).ahead()).collect();
        lanes.push(Lane::new(2, 99, 0));
        assert_eq!(order(&lanes).iter().position(|lane| *lane == (2, 99)), Some(AHEAD_IN_A_ROW as usize));
    }
}
