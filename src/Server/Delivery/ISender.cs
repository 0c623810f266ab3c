using Mfa.Server.Domain;

namespace Mfa.Server.Delivery;

/// <summary>A way out of the house: a mail server, an SMS gateway, a folder.</summary>
internal interface ISender
{
    /// <summary>What logs and settings call it.</summary>
    string Name { get; }

    Channel Channel { get; }

    /// <summary>Hands the message over. Returns once the other side has taken responsibility for it.</summary>
    /// <param name="id">Names the message; the same when it is sent again.</param>
    /// <exception cref="SendFailedException">It did not take it; another try or another sender may.</exception>
    Task SendAsync(Guid id, MessageContent message, CancellationToken ct);
}

/// <summary>A sender did not take a message. The text is for the log and holds neither code nor destination.</summary>
internal sealed class SendFailedException(string why) : Exception(why);
