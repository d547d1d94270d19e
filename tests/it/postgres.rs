//! The server that other tests use.

use wxmember_tests::Postgres;

#[test]
fn a_server_keeps_what_was_committed_before_a_crash() {
    let server = Postgres::start();
    let url = server.create_database("one");
    assert!(url.ends_with("/one"));
    server.sql("one", "CREATE TABLE t (x text); INSERT INTO t VALUES ('kept')");
    server.crash();
    server.start_again();
    assert_eq!(server.sql("one", "SELECT x FROM t"), "kept\n");
    assert!(server.dump("one").contains("kept"));
}
