//! The words of a page in both languages.

use crate::{
    ledger::{JobReport, RowState},
    report::job::Language,
};

/// The words of one language. A field that is missing in one of them does not compile.
pub(super) struct Words {
    language: Language,
    pub(super) lang: &'static str,
    pub(super) all: &'static str,
    pub(super) brand: &'static str,
    pub(super) card: &'static str,
    pub(super) code: &'static str,
    pub(super) codes: &'static str,
    pub(super) codes_caption: &'static str,
    pub(super) created: &'static str,
    pub(super) figures: &'static str,
    pub(super) footer: &'static str,
    pub(super) from: &'static str,
    pub(super) id: &'static str,
    pub(super) job: &'static str,
    pub(super) job_caption: &'static str,
    pub(super) mchid: &'static str,
    pub(super) message: &'static str,
    pub(super) no_codes: &'static str,
    pub(super) no_rate: &'static str,
    pub(super) outcome: &'static str,
    pub(super) platform: &'static str,
    pub(super) rate: &'static str,
    pub(super) rate_title: &'static str,
    pub(super) rate_unit: &'static str,
    pub(super) route: &'static str,
    pub(super) rows: &'static str,
    pub(super) rows_by_state: &'static str,
    pub(super) share: &'static str,
    pub(super) source: &'static str,
    pub(super) state: &'static str,
    pub(super) title: &'static str,
    pub(super) updated: &'static str,
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Chinese => &CHINESE,
        }
    }

    pub(super) fn state_name(&self, state: RowState) -> &'static str {
        let (english, chinese) = match state {
            RowState::Imported => ("Imported", "已导入"),
            RowState::Present => ("Already there", "已存在"),
            RowState::Refused => ("Refused", "被拒绝"),
            RowState::Unknown => ("Outcome unknown", "结果未知"),
            RowState::Queued | RowState::Leased => ("To be sent", "待发送"),
        };
        self.choose(english, chinese)
    }

    /// Where the job stands.
    pub(super) fn standing(&self, job: &JobReport) -> &'static str {
        let counts = &job.counts;
        if !job.is_loaded {
            self.choose("Still being loaded", "正在读取名单")
        } else if counts.unfinished() > 0 && job.is_purged {
            self.choose("Purged before it was done", "未完成即已清除")
        } else if counts.unfinished() > 0 && job.is_paused {
            self.choose("Paused", "已暂停")
        } else if counts.unfinished() > 0 {
            self.choose("Not done yet", "尚未完成")
        } else if counts.refused > 0 {
            self.choose("Done, with refused rows", "已完成，有被拒绝的行")
        } else {
            self.choose("Done", "已完成")
        }
    }

    /// How many members have the card.
    pub(super) fn members(&self, done: u64, rows: u64) -> String {
        match self.language {
            Language::English => format!("{done} of {rows} members have the card"),
            Language::Chinese => format!("名单共 {rows} 人，其中 {done} 人已有会员卡"),
        }
    }

    /// The picture of the rate in words.
    pub(super) fn rate_text(&self, highest: &str, from: &str, to: &str) -> String {
        match self.language {
            Language::English => format!("From {from} to {to}; at most {highest} rows a second"),
            Language::Chinese => format!("{from} 至 {to}，最高每秒 {highest} 行"),
        }
    }

    fn choose(&self, english: &'static str, chinese: &'static str) -> &'static str {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }
}

const ENGLISH: Words = Words {
    language: Language::English,
    lang: "en",
    all: "All rows",
    brand: "Brand",
    card: "Card template",
    code: "Code",
    codes: "Refusals by code",
    codes_caption: "Rows by state and code, with the message of one of them",
    created: "Begun",
    figures: "The figures",
    footer: "Written by wxmember. This page holds no personal data.",
    from: "From",
    id: "Job",
    job: "The job",
    job_caption: "What was imported, and where to",
    mchid: "Merchant id",
    message: "Message",
    no_codes: "No row was refused.",
    no_rate: "Nothing has come to an end yet.",
    outcome: "Outcome",
    platform: "Platform",
    rate: "Rate over time",
    rate_title: "Rows that came to an end, over time",
    rate_unit: "Rows a second",
    route: "Operation",
    rows: "Rows",
    rows_by_state: "Rows by state",
    share: "Share",
    source: "Source",
    state: "State",
    title: "Import report",
    updated: "Last change",
};

const CHINESE: Words = Words {
    language: Language::Chinese,
    lang: "zh-CN",
    all: "全部",
    brand: "品牌ID",
    card: "会员卡模板ID",
    code: "错误码",
    codes: "被拒绝的行（按错误码）",
    codes_caption: "按状态和错误码统计的行数，附其中一行的错误描述",
    created: "开始时间",
    figures: "明细数据",
    footer: "由 wxmember 生成，本页不含个人信息。",
    from: "起始时间",
    id: "任务",
    job: "任务信息",
    job_caption: "导入了什么，导入到哪里",
    mchid: "商户号",
    message: "错误描述",
    no_codes: "没有被拒绝的行。",
    no_rate: "还没有任何一行有结果。",
    outcome: "结果",
    platform: "平台地址",
    rate: "速率变化",
    rate_title: "各时段得出结果的行数",
    rate_unit: "行/秒",
    route: "导入方式",
    rows: "行数",
    rows_by_state: "各状态的行数",
    share: "占比",
    source: "名单文件",
    state: "状态",
    title: "导入报告",
    updated: "最后更新",
};
