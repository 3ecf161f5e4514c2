//! A directory as a disk has it: what is synced, and what a power cut may lose. Built from a recording, one event after the other.
//!
//! Strict, as POSIX is: a write is sure after a sync of its file, a name after a sync of its directory, nothing before. Until then each
//! may be there or not, whatever happened to the others; a write may be there in some of its sectors only, and a file may be shorter.

use super::{plan::Random, recording::Event};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path},
};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The place of a file or directory in [`Disk::nodes`].
type Node = usize;

/// Files and directories under a root.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    nodes: Vec<Kind>,
    by_inode: HashMap<u64, Node>,
}

#[derive(Debug, Clone)]
enum Kind {
    File { synced: Vec<u8>, since: Vec<Change> },
    Directory { now: Names, synced: Names, since: Vec<Renaming> },
}

type Names = BTreeMap<String, Node>;

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

/// Names of a directory that change together.
#[derive(Debug, Clone)]
struct Renaming {
    gone: Option<String>,
    come: Option<(String, Node)>,
}

impl Disk {
    /// A directory as it is, all of it on disk.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Self { nodes: Vec::new(), by_inode: HashMap::new() };
        disk.load(root);
        disk
    }

    fn load(&mut self, path: &Path) -> Node {
        let meta = fs::metadata(path).unwrap();
        let node = if meta.is_dir() {
            let node = self.add(Kind::directory());
            for entry in fs::read_dir(path).unwrap() {
                let entry = entry.unwrap();
                let child = self.load(&entry.path());
                let name = entry.file_name().into_string().unwrap();
                let Kind::Directory { now, synced, .. } = &mut self.nodes[node] else { unreachable!() };
                now.insert(name.clone(), child);
                synced.insert(name, child);
            }
            node
        } else {
            self.add(Kind::File { synced: fs::read(path).unwrap(), since: Vec::new() })
        };
        self.by_inode.insert(meta.ino(), node);
        node
    }

    fn add(&mut self, kind: Kind) -> Node {
        self.nodes.push(kind);
        self.nodes.len() - 1
    }

    /// What happened next. Paths are from the root.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::Opened { path, inode, emptied } => {
                let node = self.find(path).unwrap_or_else(|| self.create(path, Kind::file()));
                self.by_inode.insert(*inode, node);
                if *emptied {
                    self.change(node, Change::Length(0));
                }
            }
            Event::Written { inode, offset, data } => {
                self.change(self.by_inode[inode], Change::Write { offset: *offset, data: data.clone() });
            }
            Event::Truncated { inode, len } => self.change(self.by_inode[inode], Change::Length(*len)),
            Event::Synced { inode } => self.nodes[self.by_inode[inode]].sync(),
            Event::Renamed { from, to } => {
                let (folder, name) = self.parent(from);
                let (target, new) = self.parent(to);
                assert_eq!(folder, target, "no file moves between directories");
                let node = self.find(from).expect("what is renamed is there");
                self.rename(folder, Renaming { gone: Some(name), come: Some((new, node)) });
            }
            Event::Removed { path } => {
                let (folder, name) = self.parent(path);
                self.rename(folder, Renaming { gone: Some(name), come: None });
            }
            Event::Made { path } => drop(self.create(path, Kind::directory())),
            Event::Acknowledged(_) => {}
        }
    }

    fn create(&mut self, path: &Path, kind: Kind) -> Node {
        let node = self.add(kind);
        let (folder, name) = self.parent(path);
        self.rename(folder, Renaming { gone: None, come: Some((name, node)) });
        node
    }

    fn change(&mut self, node: Node, change: Change) {
        let Kind::File { since, .. } = &mut self.nodes[node] else { panic!("a directory is not written") };
        since.push(change);
    }

    fn rename(&mut self, folder: Node, renaming: Renaming) {
        let Kind::Directory { now, since, .. } = &mut self.nodes[folder] else { panic!("no directory") };
        renaming.apply(now);
        since.push(renaming);
    }

    fn find(&self, path: &Path) -> Option<Node> {
        path.components().try_fold(0, |node, part| match (&self.nodes[node], part) {
            (Kind::Directory { now, .. }, Component::Normal(name)) => now.get(name.to_str()?).copied(),
            _ => None,
        })
    }

    fn parent(&self, path: &Path) -> (Node, String) {
        let folder = path.parent().and_then(|folder| self.find(folder)).expect("its directory is there");
        (folder, path.file_name().unwrap().to_str().unwrap().to_owned())
    }

    /// Writes down the disk as it is when nothing is lost.
    pub(crate) fn write_whole(&self, to: &Path) {
        self.write(0, to, &mut Loss { random: Random::new(0), keep: Keep::All });
    }

    /// Writes down one of the disks that a power cut at this moment may leave.
    pub(crate) fn write_cut(&self, to: &Path, mut random: Random) {
        let keep = match random.below(6) {
            0 => Keep::Nothing,
            1 => Keep::All,
            2 => Keep::First,
            3 => Keep::Some { of_ten: 9 },
            4 => Keep::Some { of_ten: 1 },
            _ => Keep::Some { of_ten: 5 },
        };
        self.write(0, to, &mut Loss { random, keep });
    }

    fn write(&self, node: Node, to: &Path, loss: &mut Loss) {
        match &self.nodes[node] {
            Kind::File { synced, since } => fs::write(to, loss.file(synced, since)).unwrap(),
            Kind::Directory { synced, since, .. } => {
                fs::create_dir_all(to).unwrap();
                let mut names = synced.clone();
                loss.kept(since).into_iter().for_each(|renaming| renaming.apply(&mut names));
                names.into_iter().for_each(|(name, node)| self.write(node, &to.join(name), loss));
            }
        }
    }
}

impl Kind {
    fn file() -> Self {
        Self::File { synced: Vec::new(), since: Vec::new() }
    }

    fn directory() -> Self {
        Self::Directory { now: Names::new(), synced: Names::new(), since: Vec::new() }
    }

    fn sync(&mut self) {
        match self {
            Self::File { synced, since } => since.drain(..).for_each(|change| change.apply(synced)),
            Self::Directory { synced, since, .. } => since.drain(..).for_each(|renaming| renaming.apply(synced)),
        }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(len) => bytes.resize(*len, 0),
            Self::Write { offset, data } => write_at(bytes, *offset, data),
        }
    }
}

fn write_at(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

impl Renaming {
    fn apply(&self, names: &mut Names) {
        if let Some(name) = &self.gone {
            names.remove(name);
        }
        if let Some((name, node)) = &self.come {
            names.insert(name.clone(), *node);
        }
    }
}

/// What one power cut does to what was not synced.
struct Loss {
    random: Random,
    keep: Keep,
}

/// Which of the changes since the last sync are there.
enum Keep {
    All,
    Nothing,
    /// The first of them, up to any.
    First,
    Some {
        of_ten: u64,
    },
}

impl Loss {
    fn kept<'a, T>(&mut self, since: &'a [T]) -> Vec<&'a T> {
        match self.keep {
            Keep::All => since.iter().collect(),
            Keep::Nothing => Vec::new(),
            Keep::First => since.iter().take(self.random.below(since.len() as u64 + 1) as usize).collect(),
            Keep::Some { of_ten } => since.iter().filter(|_| self.random.below(10) < of_ten).collect(),
        }
    }

    fn file(&mut self, synced: &[u8], since: &[Change]) -> Vec<u8> {
        let mut bytes = synced.to_vec();
        for change in self.kept(since) {
            match change {
                Change::Write { offset, data } if self.is_torn() => self.tear(&mut bytes, *offset, data),
                change => change.apply(&mut bytes),
            }
        }
        // The length that a file grew to may be missing, though its bytes are written.
        if bytes.len() > synced.len() && self.is_torn() {
            let more = (bytes.len() - synced.len()) as u64;
            bytes.truncate(synced.len() + self.random.below(more) as usize);
        }
        bytes
    }

    fn is_torn(&mut self) -> bool {
        !matches!(self.keep, Keep::All) && self.random.below(3) == 0
    }

    /// Writes some of the sectors that a write touches: the first ones, the last ones, or any.
    fn tear(&mut self, bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
        let (first, last) = (offset / SECTOR, (offset + data.len()).div_ceil(SECTOR));
        let middle = first + self.random.below((last - first) as u64 + 1) as usize;
        let way = self.random.below(3);
        for sector in first..last {
            let is_written = match way {
                0 => sector < middle,
                1 => sector >= middle,
                _ => self.random.below(2) == 0,
            };
            let from = (sector * SECTOR).max(offset);
            let to = ((sector + 1) * SECTOR).min(offset + data.len());
            if is_written {
                write_at(bytes, from, &data[from - offset..to - offset]);
            }
        }
    }
}
