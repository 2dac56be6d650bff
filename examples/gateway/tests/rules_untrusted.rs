//! Untrusted values where an expansion would refuse them each time.

use std::fs;

use super::config_effect::refused;
use super::scratch::Scratch;

/// Reads a rule for recipients; in its text `DIR` is a folder that lookups may read.
fn refused_rule(line: &str) -> String {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("file"), "a: b\n").unwrap();
    let folder = scratch.path().display().to_string();
    let line = line.replace("DIR", &folder);
    let text = format!(
        "lookup_directories = '{folder}'\n[[acl_smtp_rcpt]]\nverb = 'deny'\n{line}\n\
         [[acl.own]]\nverb = 'accept'\n[domainlist]\nfixed = 'lsearch;{folder}/file'\n\
         expanded = '${{if eq{{a}}{{a}}{{b.example}}}}'"
    );
    let told = refused(&text).replace(&folder, "DIR");
    // The list that no rule calls is not of interest.
    if told.contains("nothing calls the list own") { String::new() } else { told }
}

#[test]
fn a_value_in_a_query_is_untrusted_wherever_it_comes_from() {
    for query in [
        "${lookup sqlite{SELECT '$proxy_target_address'}}",
        "${lookup sqlite{SELECT '$proxy_external_port'}}",
        "${lookup sqlite{SELECT '$proxy_host_address'}}",
        "${if match{$local_part}{(.*)}{${lookup sqlite{SELECT '$1'}}}}",
        "${map{$local_part}{${lookup sqlite{SELECT '$item'}}}}",
        "${lookup sqlite{SELECT '${sg{${quote_sqlite:$local_part}}{a}{b}}'}}",
        "${lookup sqlite{SELECT '${map{$local_part}{${quote_sqlite:$item}}}'}}",
    ] {
        let told = refused_rule(&format!("condition = \"{query}\""));
        assert!(told.contains(" is not quoted: write ${quote_sqlite:"), "{query}: {told}");
    }
    for query in [
        "${lookup sqlite{SELECT '$proxy_session'}}",
        "${if match{$local_part}{(.*)}{${lookup sqlite{SELECT '${quote_sqlite:$1}'}}}}",
        "${map{$local_part}{${lookup sqlite{SELECT '${quote_sqlite:$item}'}}}}",
    ] {
        assert_eq!(refused_rule(&format!("condition = \"{query}\"")), "", "{query}");
    }
}

#[test]
fn an_untrusted_value_names_no_file_and_no_list_of_rules() {
    let file = "the lookup lsearch: the name of the file has an untrusted value";
    let list = "acl: the name of the list is an untrusted value";
    for (line, expected) in [
        ("condition = '${lookup{a}lsearch{DIR/$local_part}}'", file),
        ("condition = '${if eq{a}{b}{c}{${lookup{a}lsearch{DIR/$domain}}}}'", file),
        ("condition = '${map{$domain}{${lookup{a}lsearch{DIR/$item}}}}'", file),
        ("condition = '${acl{$local_part}}'", list),
        ("condition = '${if acl{{$local_part}}}'", list),
        ("acl = '$local_part'", list),
        ("acl = 'a-$local_part b'", list),
    ] {
        let told = refused_rule(line);
        assert!(told.starts_with("line 4: byte ") && told.contains(expected), "{line}: {told}");
    }
    for line in [
        "condition = '${lookup{$local_part}lsearch{DIR/file}}'",
        "acl = 'own $local_part'",
        "condition = '${acl{own}{$local_part}}'",
    ] {
        assert_eq!(refused_rule(line), "", "{line}");
    }
}

#[test]
fn a_list_with_an_untrusted_value_has_no_item_that_must_be_trusted() {
    let file = "a file or a lookup is not allowed beside an untrusted value; put the item into a named list";
    let expanded =
        "a named list that is expanded is not allowed beside an untrusted value; test it by itself";
    for (line, start, end) in [
        (
            "domains = '! lsearch;DIR/file : $sender_address_domain'",
            "line 4: item 1 (! lsearch;DIR/file): ",
            file,
        ),
        ("domains = '$sender_address_domain : DIR/file'", "line 4: item 2 (DIR/file): ", file),
        (
            "domains = '<; a.example ; ${lc:$sender_address_domain}.x ; DIR/file'",
            "line 4: item 3 (DIR/file): ",
            file,
        ),
        (
            "domains = '+expanded : $sender_address_domain'",
            "line 4: item 1 (+expanded): ",
            expanded,
        ),
        (
            "local_parts = '$sender_address_local_part : DIR/file'",
            "line 4: item 2 (DIR/file): ",
            file,
        ),
    ] {
        let told = refused_rule(line);
        assert!(told.starts_with(start) && told.ends_with(end), "{line}: {told}");
    }
    for line in [
        "domains = '+fixed : $sender_address_domain'",
        "domains = '$sender_address_domain : a.example : *.b.example'",
        "domains = '$acl_m_domain : DIR/file : +expanded'",
        "domains = 'DIR/file : +expanded'",
        "domains = '${if eq{$sender_address_domain}{a.example}{DIR/file}{b.example}}'",
    ] {
        assert_eq!(refused_rule(line), "", "{line}");
    }
}
