//! The page's files held against each other: catalogues, script and markup.

use std::collections::BTreeSet;

use axum::http::HeaderValue;

use super::*;

fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let scripts = FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT);
    scripts.map(|(name, _, text)| (*name, *text))
}

/// The texts between a beginning and an end.
fn between<'a>(text: &'a str, start: &'a str, end: char) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(start).filter_map(move |(at, _)| {
        let (before, rest) = (&text[..at], &text[at + start.len()..]);
        Some((before, rest.split_once(end)?.0))
    })
}

/// Every key that the markup or a script names.
fn used() -> BTreeSet<&'static str> {
    let in_page = between(PAGE, "{{", '}')
        .map(|(_, key)| key)
        .filter(|key| !key.starts_with('@'));
    let in_scripts = scripts().flat_map(|(_, text)| between(text, "t(\"", '"'));
    let calls = in_scripts
        .filter(|(before, _)| !before.ends_with(|last: char| last.is_alphanumeric() || last == '_'));
    in_page.chain(calls.map(|(_, key)| key)).collect()
}

/// The places of a text that are filled in.
fn places(text: &str) -> BTreeSet<&str> {
    between(text, "{", '}').map(|(_, name)| name).collect()
}

#[test]
fn both_catalogues_have_every_key_that_is_used_and_no_other() {
    let (english, chinese) = (texts_of(ENGLISH), texts_of(CHINESE));
    let used = used();
    assert!(used.len() > 100, "{used:?}");
    for (name, catalogue) in [("en", &english), ("zh", &chinese)] {
        let keys: BTreeSet<_> = catalogue.keys().map(String::as_str).collect();
        let missing: Vec<_> = used.difference(&keys).collect();
        let surplus: Vec<_> = keys.difference(&used).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{name}: missing {missing:?}, surplus {surplus:?}"
        );
    }
    for (key, text) in &english {
        let other = &chinese[key];
        assert!(!text.is_empty() && !other.is_empty(), "{key}");
        assert_eq!(places(text), places(other), "{key}");
        let is_chinese = |text: &str| {
            text.chars()
                .any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character))
        };
        assert!(!is_chinese(text) || key == "language.other", "{key}: {text}");
    }
}

#[test]
fn every_key_is_written_out_where_it_is_used() {
    for (name, text) in scripts() {
        for call in ["t(`", "t(key", "t(name", "t('"] {
            let mut calls = between(text, call, ')')
                .filter(|(before, _)| before.ends_with([' ', '(', '[', '$', '{', ',']));
            let definition = name == "texts.js" && call == "t(key";
            assert!(definition || calls.next().is_none(), "{name}: {call}");
        }
    }
}

#[test]
fn no_script_turns_a_text_into_markup_or_code() {
    let doors = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "srcdoc",
        "javascript:",
        "DOMParser",
        "createContextualFragment",
        "setHTML",
        "setTimeout(\"",
        ".style",
        "localStorage",
        "://cdn",
    ];
    for (name, text) in scripts() {
        for door in doors {
            assert!(!text.contains(door), "{name} has {door}");
        }
    }
    // Nothing inline, which the policy would stop, and nothing from elsewhere.
    for door in ["<script>", " style=", " onclick", "http://", "https://"] {
        assert!(!PAGE.contains(door), "{door}");
    }
    assert_eq!(PAGE.matches("<script").count(), 1);
}

#[test]
fn every_file_that_is_named_is_there() {
    let texts = scripts().map(|(_, text)| text).chain([PAGE]);
    let named: BTreeSet<_> = texts
        .flat_map(|text| between(text, "\"/page/", '"'))
        .map(|(_, name)| name)
        .collect();
    let there: BTreeSet<_> = FILES
        .iter()
        .map(|(name, ..)| *name)
        .filter(|name| !name.ends_with(".json"))
        .collect();
    assert_eq!(named, there);
}

#[test]
fn every_id_that_a_script_asks_for_is_in_the_page() {
    let known: BTreeSet<_> = between(PAGE, " id=\"", '"').map(|(_, id)| id).collect();
    assert_eq!(known.len(), PAGE.matches(" id=\"").count());
    for (name, text) in scripts() {
        for (_, id) in between(text, "byId(\"", '"') {
            assert!(known.contains(id), "{name} asks for {id}");
        }
    }
    for (_, id) in between(PAGE, " for=\"", '"').chain(between(PAGE, "aria-describedby=\"", '"')) {
        assert!(known.contains(id), "{id}");
    }
}

#[test]
fn every_field_has_a_label() {
    let fields = ["<input id=\"", "<select id=\""]
        .into_iter()
        .flat_map(|start| between(PAGE, start, '"'));
    let mut count = 0;
    for (before, id) in fields {
        let is_inside = before.rfind("<label") > before.rfind("</label>");
        assert!(is_inside || PAGE.contains(&format!(" for=\"{id}\"")), "{id}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn the_language_is_the_chosen_one_or_the_first_that_is_wanted() {
    let of = |cookie: &'static str, wanted: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(wanted));
        Tongue::of_browser(&headers)
    };
    assert_eq!(Tongue::of_browser(&HeaderMap::new()), Tongue::English);
    assert_eq!(of("", "zh-CN,zh;q=0.9,en;q=0.8"), Tongue::Chinese);
    assert_eq!(of("", "fr, EN-gb, zh"), Tongue::English);
    assert_eq!(of("", "fr"), Tongue::English);
    assert_eq!(of("a=b; wxmember-sandbox-lang=zh", "en"), Tongue::Chinese);
    assert_eq!(of("wxmember-sandbox-lang=\"><script>", "zh"), Tongue::Chinese);
}

#[test]
fn the_page_is_filled_in_with_nothing_left_over() {
    for tongue in [Tongue::English, Tongue::Chinese] {
        let page = tongue.page();
        assert!(!page.contains("{{") && !page.contains("}}"));
        assert!(page.contains(&format!("<html lang=\"{}\">", tongue.name())));
    }
    assert!(
        Tongue::Chinese.page().contains("这不是微信支付")
            && Tongue::English.page().contains("not WeChat Pay")
    );
    let mut escaped = String::new();
    push_escaped(&mut escaped, "<a href=\"&\">");
    assert_eq!(escaped, "&lt;a href=&quot;&amp;&quot;&gt;");
}
