using Mfa.V1;

namespace Mfa.Torture.History;

internal enum Rpc
{
    Unspecified = 0,
    Enable,
    Verify,
    GetToken,
    Disable,
    ConfirmDisable,
    GetStatus,
    RegenerateRecoveryCodes,
}

internal enum SubmittedKind
{
    /// <summary>No code of anything the account ever had.</summary>
    Wrong = 0,

    /// <summary>The code of a time step of an authenticator enrollment.</summary>
    Step,

    /// <summary>A recovery code, by its set and place in it.</summary>
    Recovery,

    /// <summary>A code that was sent.</summary>
    Sent,

    /// <summary>A mailed token.</summary>
    Token,
}

/// <summary>What a call submitted, named by where it came from: the digits themselves are in no history.</summary>
/// <param name="Of">The enrollment of a step, the set of a recovery code, the request that had a code or token sent.</param>
/// <param name="Number">The step, or the place in the set.</param>
internal sealed record Submitted(SubmittedKind Kind, string Of = "", long Number = 0)
{
    public static readonly Submitted Wrong = new(SubmittedKind.Wrong);
}

internal enum Outcome
{
    /// <summary>The connection broke, the caller hung up, or the deadline passed: it took effect entirely or not at all.</summary>
    Unknown = 0,

    /// <summary>An answer.</summary>
    Ok,

    /// <summary>An error with a reason: it had no effect but, where the reason says so, that of a guess.</summary>
    Refused,

    /// <summary>The server said that its store failed. It may have saved the effect or not.</summary>
    Unavailable,
}

/// <summary>The answer, as far as the rules say something about it. Times are Unix milliseconds on the server's clock.</summary>
internal sealed record Answer(Outcome Outcome)
{
    public static readonly Answer Unknown = new(Outcome.Unknown);

    /// <summary>ErrorInfo.reason of a refusal.</summary>
    public string Reason { get; init; } = "";

    public Verdict Verdict { get; init; }

    public int Attempts { get; init; }

    public int RecoveryCodes { get; init; }

    /// <summary>retry_time of a verdict, locked_until of a status.</summary>
    public long? LockedUntil { get; init; }

    /// <summary>The new enrollment of Enable, the pending one of GetStatus.</summary>
    public string Enrollment { get; init; } = "";

    public State State { get; init; }

    /// <summary>The reply showed a secret that was shown before.</summary>
    public bool ShowsSecret { get; init; }

    public static Answer Refused(string reason) => new(Outcome.Refused) { Reason = reason };
}

/// <summary>One call and what came of it. Times are Unix microseconds on the load program's clock.</summary>
/// <param name="Server">Which life of the server it was sent to.</param>
/// <param name="Sends">For Enable: an enrollment whose codes are sent.</param>
/// <param name="RequestId">Empty when the call stands for itself.</param>
internal sealed record Call(
    long Id, string Account, Rpc Rpc, long Start, long End, int Server, Answer Answer,
    Submitted? What = null, string Enrollment = "", string RequestId = "", bool Sends = false);

/// <summary>The end of one life of the server: what it had not done by then it never did.</summary>
internal sealed record Death(int Server, long Time);

/// <summary>The server's clock was set; between start and end either offset may have been in force.</summary>
/// <param name="AheadFirst">
/// At the beginning of a history: how far the time that the server keeps to was ahead of the load's clock, at the least. What
/// it went through before it cannot be told from.
/// </param>
/// <param name="AheadLast">And at the most.</param>
internal sealed record ClockMove(long Start, long End, long OffsetMilliseconds, long? AheadFirst = null, long? AheadLast = null);

/// <summary>Anything that broke a promise of its own, such as an exit code.</summary>
internal sealed record Note(string Text, bool Violation = false);

/// <summary>One line of a history: exactly one of these is set.</summary>
internal sealed record Line(Call? Call = null, Death? Death = null, ClockMove? Clock = null, Note? Note = null);
