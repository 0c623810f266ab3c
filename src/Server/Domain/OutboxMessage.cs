namespace Mfa.Server.Domain;

/// <summary>The way a message takes. The numbers are stored: never renumber.</summary>
internal enum Channel
{
    Unspecified = 0,
    Email = 1,
    Sms = 2,
}

/// <summary>How far a message has got. The numbers are stored, and an index names 1: never renumber.</summary>
internal enum DeliveryState
{
    Unspecified = 0,

    /// <summary>Saved, waiting for its first or next attempt.</summary>
    Queued = 1,

    /// <summary>A provider took it.</summary>
    Sent = 2,

    /// <summary>No provider took it in time.</summary>
    Failed = 3,
}

/// <summary>A message to be saved together with what it tells about.</summary>
/// <param name="Id">Random; for a sent code, the code's id.</param>
/// <param name="Content">Destination and text, sealed.</param>
/// <param name="ExpireTime">When sending it makes no sense any more: a code that has expired is not sent.</param>
internal sealed record OutboxMessage(
    AccountKey Account, Guid Id, Channel Channel, SealedBytes Content, DateTimeOffset CreateTime, DateTimeOffset ExpireTime);

/// <summary>How far a message has got.</summary>
internal sealed record DeliveryStatus(DeliveryState State, DateTimeOffset UpdateTime, int Attempts);
