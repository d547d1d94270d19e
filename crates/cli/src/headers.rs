//! Headers as `curl -D` writes them: `Name: value`, one a line, whatever the line break.

/// The headers of the last answer in a text.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    fields: Vec<(String, String)>,
    status: Option<u16>,
}

impl Headers {
    /// Reads a text. A status line begins a new answer: `curl -D` writes those of interim answers as well.
    pub(crate) fn parse(text: &str) -> Self {
        let mut headers = Self::default();
        for line in text.lines() {
            if line.starts_with("HTTP/") {
                headers = Self {
                    fields: Vec::new(),
                    status: line.split(' ').nth(1).and_then(|status| status.parse().ok()),
                };
            } else if let Some((name, value)) = line.split_once(':') {
                let field = (name.trim().to_owned(), value.trim().to_owned());
                headers.fields.push(field);
            }
        }
        headers
    }

    /// The status, when there is a status line.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    /// The value of a header, whatever the case of its name.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find_map(|(given, value)| given.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_counts_and_case_does_not() {
        let text = "HTTP/1.1 100 Continue\r\nWechatpay-Nonce: old\r\n\r\nHTTP/2 200\r\nwechatpay-nonce:  new \r\n\
                    Date: Mon, 30 Nov 2026 00:53:20 GMT\r\n\r\n";
        let headers = Headers::parse(text);
        assert_eq!(headers.status(), Some(200));
        assert_eq!(headers.find("Wechatpay-Nonce"), Some("new"));
        assert_eq!(headers.find("DATE"), Some("Mon, 30 Nov 2026 00:53:20 GMT"));
        assert_eq!(headers.find("Wechatpay-Serial"), None);
    }

    #[test]
    fn any_text_is_read() {
        for text in ["", ":", "\n\n", "HTTP/", "no colon", "a:b:c"] {
            let _ = Headers::parse(text).find("a");
        }
        assert_eq!(Headers::parse("a:b:c").find("A"), Some("b:c"));
    }
}
