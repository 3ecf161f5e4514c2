//! Migrations, also interrupted ones.

use super::*;
use crate::{
    engine::{KeyRange, Order},
    keys::Space,
    memory::Memory,
};

fn row(n: u8) -> Key {
    Key::new(Space::Messages, 1).u8(n)
}

/// Doubles every message's value, two rows a slice; stops with an error at a row that says 99.
fn double(engine: &dyn Engine, place: Option<&[u8]>) -> Result<Slice, StoreError> {
    let all = KeyRange::prefix(&Key::new(Space::Messages, 1));
    let range = place.map_or(all.clone(), |key| all.after(key));
    let rows = engine.range(&range, Order::Forward, 2)?;
    let next = rows.last().map(|(key, _)| key.clone());
    let mut batch = Batch::default();
    for (key, row) in rows {
        let key = Key::from_bytes(key);
        if row.value == [99] {
            return Err(StoreError::Corrupt { key });
        }
        batch.put.push((key, vec![row.value[0] * 2]));
    }
    Ok(Slice { batch, next })
}

const STEPS: &[Step] = &[Step { from: 7, name: "double", slice: double }];

fn values(engine: &dyn Engine) -> Vec<u8> {
    (0..5).map(|n| engine.get(&row(n)).unwrap().unwrap().value[0]).collect()
}

fn format(engine: &dyn Engine) -> Vec<u8> {
    engine.get(&keys::meta("format")).unwrap().unwrap().value
}

fn store(rows: [u8; 5]) -> Memory {
    let memory = Memory::new();
    let put = rows.iter().zip(0..).map(|(value, n)| (row(n), vec![*value])).collect();
    memory.engine().commit(Batch { put, ..Batch::default() }).wait().unwrap();
    memory
}

#[test]
fn a_step_works_slice_by_slice_and_raises_the_format() {
    let memory = store([1, 2, 3, 4, 5]);
    migrate(&*memory.engine(), 7, STEPS).unwrap();
    assert_eq!(values(&*memory.engine()), [2, 4, 6, 8, 10]);
    assert_eq!(format(&*memory.engine()), 8u32.to_be_bytes());
    assert_eq!(memory.engine().get(&place_key()).unwrap(), None);
}

#[test]
fn an_interrupted_step_goes_on_where_it_stopped() {
    let memory = store([1, 2, 3, 99, 5]);
    let error = migrate(&*memory.engine(), 7, STEPS).unwrap_err().to_string();
    assert!(error.starts_with("bringing the store from format 7 to 8 (double) stopped: "), "{error}");
    assert_eq!(values(&*memory.engine()), [2, 4, 3, 99, 5]);
    let memory = memory.reopen();
    memory.engine().commit(Batch { put: vec![(row(3), vec![4])], ..Batch::default() }).wait().unwrap();
    migrate(&*memory.engine(), 7, STEPS).unwrap();
    assert_eq!(values(&*memory.engine()), [2, 4, 6, 8, 10]);
}

#[test]
fn a_step_that_is_behind_the_store_is_left_out() {
    let memory = store([1, 2, 3, 4, 5]);
    migrate(&*memory.engine(), 8, STEPS).unwrap();
    assert_eq!(values(&*memory.engine()), [1, 2, 3, 4, 5]);
}

#[test]
fn a_new_store_has_this_format_and_a_newer_one_is_refused() {
    assert_eq!(format(&*Memory::new().engine()), FORMAT.to_be_bytes());
    assert!(check_format(None).is_ok() && check_format(Some(FORMAT)).is_ok());
    let error = check_format(Some(FORMAT + 1)).unwrap_err().to_string();
    assert!(error.contains("start the newer version"), "{error}");
    assert_eq!(super::STEPS.len(), FORMAT as usize - 1);
}
