using Mfa.Server.Protection;

namespace Mfa.Server.Callers;

/// <summary>How passwords of the built-in directory are hashed and how many at a time.</summary>
internal sealed record PasswordOptions
{
    public const int MinLength = 8; // NIST SP 800-63B §3.1.1.2, for a password that is used with a second factor
    public const int MaxLength = 256;

    /// <summary>PBKDF2 rounds of new passwords. About 180 ms of a core each 210,000.</summary>
    /// <value>210,000 to 10,000,000. Default 210,000.</value>
    public int Rounds { get; init; } = PasswordHasher.MinRounds;

    /// <summary>Passwords checked at the same time. Each keeps one core busy.</summary>
    /// <value>1 to 64. Default 1.</value>
    public int Parallel { get; init; } = 1;

    /// <summary>Checks that may wait for their turn; further ones are answered CALLER_LIMIT at once.</summary>
    /// <value>0 to 1,000. Default 32.</value>
    public int Queue { get; init; } = 32;

    /// <summary>Checks of one address, running and waiting.</summary>
    /// <value>1 to 1,000. Default 8, a quarter of all.</value>
    public int PerPeer { get; init; } = 8;

    /// <summary>Checks of one name, running and waiting.</summary>
    /// <value>1 to 1,000. Default 4.</value>
    public int PerName { get; init; } = 4;
}
