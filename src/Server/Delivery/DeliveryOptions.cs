namespace Mfa.Server.Delivery;

/// <summary>How messages are made and how many may go out.</summary>
internal sealed record DeliveryOptions
{
    /// <summary>How long a sent code is good for.</summary>
    /// <value>60 to 600 s (NIST SP 800-63B §3.1.3.2: at most 10 minutes). Default 300 s.</value>
    public TimeSpan CodeLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a token to switch off is good for. Fixed by the contract.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The region whose way of dialling is understood without a country code.</summary>
    /// <value>ISO 3166 code of two letters. Default CA.</value>
    public string Region { get; init; } = "CA";

    /// <summary>The regions that SMS may go to. Empty: <see cref="Region"/> alone.</summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>The language of messages to accounts that asked for none.</summary>
    /// <value>A language that there are texts in. Default en.</value>
    public string Language { get; init; } = "en";

    /// <summary>The domain in the last line of an SMS, which lets phones fill in the code on that site alone.</summary>
    public string Domain { get; init; } = "localhost";

    /// <summary>
    /// The page that a person's mailed link opens; the token follows after a #, which browsers do not send. Empty: the mail
    /// carries the token alone.
    /// </summary>
    /// <value>Default: with --dev the page on the web address, otherwise none.</value>
    public string DisablePage { get; init; } = "";

    /// <summary>The operator's message texts; null for the shipped ones alone.</summary>
    public string? TextFolder { get; init; }

    /// <summary>Kinds of notices that are not sent.</summary>
    public IReadOnlyList<string> MutedNotices { get; init; } = [];

    /// <summary>Whether anything is sent at all: the switch to pull when messages cost money they should not.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Time between two messages to an account.</summary>
    public TimeSpan AccountGap { get; init; } = TimeSpan.FromSeconds(60);

    public int PerAccountHour { get; init; } = 5;

    public int PerDestinationDay { get; init; } = 10;

    public int PerCallerDay { get; init; } = 1_000;

    public int PerDay { get; init; } = 10_000;
}
