//! Choices where the documents are silent or disagree, each with a default.

/// What the sandbox does where the protocol leaves it open (sections 4.5 and 7.4 of our notes).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policies {
    /// `GET /v3/certificates` without any certificate.
    pub no_certificates: NoCertificates,
    /// The same code with the same phone number.
    pub repeated_member: RepeatedMember,
    /// The same phone number with another code.
    pub second_card: SecondCard,
    /// The same code with another phone number.
    pub taken_code: TakenCode,
    /// The type of a card's validity beside its template's.
    pub validity_type: ValidityType,
}

/// A merchant who only has the public key asks for certificates.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum NoCertificates {
    /// 404 `NOT_FOUND`.
    NotFound,
    /// 404 `RESOURCE_NOT_EXISTS`. The default.
    #[default]
    ResourceNotExists,
}

/// The same code with the same phone number comes again.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum RepeatedMember {
    /// 400 `ALREADY_EXISTS`.
    AlreadyExists,
    /// 200 with the card as it was first imported, unchanged. The default.
    #[default]
    ReturnExisting,
}

/// A phone number that has a card of the template comes with another code.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SecondCard {
    /// A second card is made.
    Allow,
    /// 400 `INVALID_REQUEST`, 会员已经领取过该卡, as in the older family. The default.
    #[default]
    Refuse,
}

/// A code that is another member's comes with a new phone number.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TakenCode {
    /// 400 `ALREADY_EXISTS`. The default.
    #[default]
    AlreadyExists,
    /// 400 `INVALID_REQUEST`.
    InvalidRequest,
}

/// The type of a card's validity is compared with the template's.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ValidityType {
    /// Any type is taken, so that every kind of member fits the one template that is there. The default.
    #[default]
    Any,
    /// 400 `PARAM_ERROR` when the two differ.
    SameAsTemplate,
}
