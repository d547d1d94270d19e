//! Hands what libFuzzer makes to [`wxmember_fuzz::answer`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::answer::run(data));
