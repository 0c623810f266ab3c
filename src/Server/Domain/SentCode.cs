namespace Mfa.Server.Domain;

/// <summary>
/// The stored side of a code that was sent (NIST SP 800-63B §3.1.3.2): good for one acceptance, for a few minutes and a few
/// tries. A newer one takes its place, so there is one at most for each enrollment.
/// </summary>
/// <param name="Id">Random; names the message it travels in.</param>
/// <param name="KeyId">The ring key of the hash.</param>
/// <param name="Hash">Keyed hash of the digits, bound to account, enrollment and id.</param>
/// <param name="ExpireTime">From then on it is as wrong as any other code.</param>
/// <param name="Tries">Wrong codes that were compared with it.</param>
internal sealed record SentCode(Guid Id, uint KeyId, byte[] Hash, DateTimeOffset ExpireTime, int Tries)
{
    public const int MaxTries = 5;

    /// <summary>After one more wrong try; null once there were too many.</summary>
    public SentCode? AfterWrong() => Tries + 1 < MaxTries ? this with { Tries = Tries + 1 } : null;
}
