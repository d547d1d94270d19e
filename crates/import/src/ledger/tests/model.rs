//! The tables against a small model, under calls that nobody would make in this order.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::*;

#[derive(Clone, Debug)]
enum Call {
    Claim(usize, u32),
    Record(usize, usize, RowState),
    LeaseAgain(usize, usize),
    Expire,
    NewRun(usize),
}

fn call() -> impl Strategy<Value = Call> {
    let state = prop::sample::select(vec![
        RowState::Queued,
        RowState::Imported,
        RowState::Present,
        RowState::Refused,
        RowState::Unknown,
    ]);
    prop_oneof![
        4 => (0_usize..2, 1_u32..5).prop_map(|(who, limit)| Call::Claim(who, limit)),
        6 => (0_usize..2, any::<usize>(), state).prop_map(|(who, row, state)| Call::Record(who, row, state)),
        2 => (0_usize..2, any::<usize>()).prop_map(|(who, row)| Call::LeaseAgain(who, row)),
        1 => Just(Call::Expire),
        1 => (0_usize..2).prop_map(Call::NewRun),
    ]
}

/// A row in the model.
#[derive(Clone, Copy, Debug)]
struct Model {
    state: RowState,
    is_maybe_sent: bool,
    owner: Option<Owner>,
    until: u64,
}

/// Two owners do what they like; a map that knows the rules says what must come of it.
pub(super) async fn the_tables_do_what_a_map_does(place: &Place) {
    const ROWS: u64 = 12;
    let ledger = place.open().await;
    let mut runner = TestRunner::deterministic();
    for case in 0..30 {
        let calls = proptest::collection::vec(call(), 0..60)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let rows = (1..=ROWS).map(|row| member(row, case * 100 + row, case * 100 + row));
        let job = load(&ledger, identity(&format!("case {case}")), rows.collect()).await;
        let new = Model {
            state: RowState::Queued,
            is_maybe_sent: false,
            owner: None,
            until: 0,
        };
        let mut model: BTreeMap<u64, Model> = (1..=ROWS).map(|row| (row, new)).collect();
        let mut runs = [work(job), work(job)];
        let mut cursors = [Cursor::default(); 2];
        let mut now = 0;
        for call in &calls {
            match *call {
                Call::Claim(who, limit) => {
                    for row in model.values_mut() {
                        if row.state == RowState::Leased && row.until <= now {
                            (row.state, row.is_maybe_sent) = (RowState::Unknown, true);
                        }
                    }
                    let found = claim(&ledger, runs[who], &mut cursors[who], limit).await;
                    let may = |row: &Model| {
                        matches!(row.state, RowState::Queued | RowState::Unknown)
                            && row.owner != Some(runs[who].owner)
                    };
                    let free = model.values().filter(|row| may(row)).count();
                    assert!(found.len() <= limit as usize);
                    assert_eq!(found.is_empty(), free == 0, "{calls:?}");
                    for row in found {
                        let row = model.get_mut(&row).unwrap();
                        assert!(may(row), "{calls:?}");
                        row.state = RowState::Leased;
                        row.owner = Some(runs[who].owner);
                        row.until = now + 60;
                    }
                }
                Call::Record(who, row, state) => {
                    let row = row as u64 % ROWS + 1;
                    let changed = ledger.record(runs[who], row, entry(state)).await.unwrap();
                    let row = model.get_mut(&row).unwrap();
                    let is_open =
                        matches!(row.state, RowState::Queued | RowState::Leased | RowState::Unknown);
                    let may = is_open && (row.owner == Some(runs[who].owner) || state.is_success());
                    assert_eq!(changed, may, "{calls:?}");
                    if may {
                        row.state = match state {
                            RowState::Queued if row.is_maybe_sent => RowState::Unknown,
                            state => state,
                        };
                        row.is_maybe_sent |= state == RowState::Unknown;
                    }
                }
                Call::LeaseAgain(who, row) => {
                    let row = row as u64 % ROWS + 1;
                    let leased = ledger.lease_again(runs[who], row).await.unwrap();
                    let row = model.get_mut(&row).unwrap();
                    let is_open =
                        matches!(row.state, RowState::Queued | RowState::Leased | RowState::Unknown);
                    assert_eq!(leased, is_open && row.owner == Some(runs[who].owner), "{calls:?}");
                    if leased {
                        (row.state, row.until) = (RowState::Leased, now + 60);
                    }
                }
                Call::Expire => {
                    now += 61;
                    place.advance(61);
                }
                Call::NewRun(who) => {
                    ledger.abandon(runs[who]).await.unwrap();
                    for row in model.values_mut() {
                        if row.state == RowState::Leased && row.owner == Some(runs[who].owner) {
                            (row.state, row.is_maybe_sent) = (RowState::Unknown, true);
                        }
                    }
                    (runs[who], cursors[who]) = (work(job), Cursor::default());
                }
            }
            let mut expect = Counts::default();
            model.values().for_each(|row| *expect.of(row.state) += 1);
            assert_eq!(ledger.counts(job).await.unwrap(), expect, "{calls:?}");
        }
    }
}
