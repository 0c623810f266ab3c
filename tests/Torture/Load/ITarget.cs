using Grpc.Core;
using Mfa.Torture.History;
using Mfa.V1;

namespace Mfa.Torture.Load;

/// <summary>What a load is for: one server of many lives, or several on one database.</summary>
internal interface ITarget
{
    /// <summary>The server's clock, in Unix milliseconds.</summary>
    long Now { get; }

    int ClockMoves { get; }

    /// <summary>Changes with every event that something may have been forgotten in.</summary>
    int Life { get; }

    /// <summary>Whether callers hang up now and then. What they leave behind is known to be over only when a life ends.</summary>
    bool IsHungUpOn { get; }

    /// <summary>Waits until it serves.</summary>
    Task<Connection> ConnectedAsync();

    /// <summary>After a call that was not answered, or was told that the store is away: does what a patient caller does.</summary>
    Task LeftAsync(int life, Outcome outcome);
}

/// <summary>How to call one life of a server.</summary>
internal sealed record Connection(int Server, MfaService.MfaServiceClient Client, Metadata Key);
