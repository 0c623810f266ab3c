namespace Mfa.Server.Domain;

/// <summary>What was done or asked for. The numbers are stored: never renumber.</summary>
internal enum AuditAct
{
    Unspecified = 0,

    /// <summary>A code of the factor in force, or one of its recovery codes, was submitted.</summary>
    Verify = 1,
    Enable = 2,
    GetToken = 3,
    Disable = 4,
    ConfirmDisable = 5,
    RegenerateRecoveryCodes = 6,

    /// <summary>Only when it was refused: reading leaves no row.</summary>
    GetStatus = 7,

    /// <summary>A method that is none of the above; only when the caller was refused.</summary>
    Call = 8,

    /// <summary>Verify with an enrollment_id: the code that should finish an enrollment.</summary>
    FinishEnrollment = 9,

    /// <summary>The journey of one message.</summary>
    Send = 20,

    /// <summary>Wrong codes or passwords in a row closed a door.</summary>
    Lock = 21,

    /// <summary>An operator's verb; the detail says which.</summary>
    Operator = 40,

    /// <summary>The end of the trail was not what it was left as; the reason says how. Begins a new chain.</summary>
    TrailBroken = 60,
}

/// <summary>How it ended. The numbers are stored: never renumber.</summary>
internal enum AuditOutcome
{
    Unspecified = 0,

    /// <summary>A code was right and counted.</summary>
    Accepted = 1,

    /// <summary>It was carried out.</summary>
    Done = 2,

    /// <summary>A code was looked at and did not count.</summary>
    Rejected = 3,

    /// <summary>Not looked at because of too many wrong codes before, or locked just now.</summary>
    Locked = 4,

    /// <summary>Not carried out.</summary>
    Refused = 5,

    /// <summary>A message was saved for sending.</summary>
    Queued = 6,

    /// <summary>A provider took a message.</summary>
    Delivered = 7,

    /// <summary>The first attempt to send a message failed, or the trail did.</summary>
    Failed = 8,

    /// <summary>No provider took a message in time.</summary>
    GivenUp = 9,

    /// <summary>A message's code was void before it was sent.</summary>
    Withdrawn = 10,
}

/// <summary>Why, where the outcome leaves that open. Callers are told less. The numbers are stored: never renumber.</summary>
internal enum AuditReason
{
    None = 0,
    Wrong = 1,
    Used = 2,
    Expired = 3,
    Locked = 4,
    Blocked = 5,

    NotEnabled = 10,
    AlreadyEnabled = 11,
    EnrollmentNotFound = 12,
    MethodSendsNoCode = 13,
    NoEmail = 14,
    DestinationNotAllowed = 15,
    SendLimit = 16,
    Conflict = 17,

    Unauthenticated = 30,
    CallerNotAllowed = 31,
    CallerLimit = 32,

    HeadMissing = 60,
    HeadAltered = 61,
    HeadRolledBack = 62,
}

/// <summary>Who did it, and from which address.</summary>
internal readonly record struct AuditCaller(string Id, string Peer = "")
{
    /// <summary>What the server does by itself.</summary>
    public static readonly AuditCaller Server = new("server");
}

/// <summary>One row of the audit trail. Holds no code, key, token, password or address of a person.</summary>
internal sealed record AuditEntry(DateTimeOffset Time, AuditAct Act, AuditCaller By, AccountKey Account)
{
    /// <summary>Empty names when it is about none.</summary>
    public AccountKey Account
    {
        get;
        init => (field, AccountDigest) = (value, value.Digest());
    } = Account;

    /// <summary>What is stored beside the account. Taken by whoever makes the entry: all are saved by one thread, which others wait for.</summary>
    public long AccountDigest { get; private init; } = Account.Digest();

    public AuditOutcome Outcome { get; init; }

    public AuditReason Reason { get; init; }

    /// <summary>What a code was checked against; for an enrollment or a message its method.</summary>
    public ProvenBy Factor { get; init; }

    /// <summary>The caller's request_id; for a message, its id.</summary>
    public Guid? Reference { get; init; }

    /// <summary>How many calls this stands for: refused ones are counted when there are too many to tell one by one.</summary>
    public int Calls { get; init; } = 1;

    public string Detail { get; init; } = "";

    /// <summary>A second row, for what this one brought about.</summary>
    public AuditEntry? And { get; init; }

    public static AuditEntry OfMessage(
        DateTimeOffset time, AuditCaller by, AccountKey account, Guid id, Channel channel, AuditOutcome outcome) =>
        new(time, AuditAct.Send, by, account)
        {
            Outcome = outcome,
            Factor = channel switch
            {
                Channel.Email => ProvenBy.Email,
                Channel.Sms => ProvenBy.Sms,
                Channel.Unspecified => ProvenBy.Unspecified,
            },
            Reference = id,
        };

    public AuditEntry Done(ProvenBy factor) => this with { Outcome = AuditOutcome.Done, Factor = factor };

    public AuditEntry Refused(AuditReason reason) => this with { Outcome = AuditOutcome.Refused, Reason = reason, And = null };

    /// <returns>What came of a code, with a row of its own for the lock that it brought about; null when it must be compared again.</returns>
    public AuditEntry? Checked(CheckResult check, ProvenBy factor)
    {
        if (check.Kind == CheckKind.Stale) return null;
        var row = this with { Outcome = OutcomeOf(check.Kind), Reason = ReasonOf(check.Kind), Factor = factor };
        var blocked = check.Budget.IsBlocked(check.Policy);
        var closes = row.Outcome == AuditOutcome.Rejected && (blocked || check.Budget.IsLocked(Time));
        return closes ? row with { And = row.LockedOut(blocked) with { Act = AuditAct.Lock } } : row;
    }

    /// <summary>Not carried out because a door is shut, or the shutting of it.</summary>
    public AuditEntry LockedOut(bool blocked) =>
        this with { Outcome = AuditOutcome.Locked, Reason = blocked ? AuditReason.Blocked : AuditReason.Locked, And = null };

    private static AuditOutcome OutcomeOf(CheckKind kind) => kind switch
    {
        CheckKind.Accepted => AuditOutcome.Accepted,
        CheckKind.Wrong or CheckKind.Used or CheckKind.Expired => AuditOutcome.Rejected,
        CheckKind.Locked or CheckKind.Blocked => AuditOutcome.Locked,
        CheckKind.Stale => AuditOutcome.Unspecified, // unreachable
    };

    private static AuditReason ReasonOf(CheckKind kind) => kind switch
    {
        CheckKind.Accepted or CheckKind.Stale => AuditReason.None,
        CheckKind.Wrong => AuditReason.Wrong,
        CheckKind.Used => AuditReason.Used,
        CheckKind.Expired => AuditReason.Expired,
        CheckKind.Locked => AuditReason.Locked,
        CheckKind.Blocked => AuditReason.Blocked,
    };
}
