using System.Net;
using Mfa.EndToEnd.Calls;

namespace Mfa.EndToEnd.Postgres;

/// <summary>The network between a program and its database, where a test may look at what is asked, hold it up, and change what is answered.</summary>
/// <param name="database">The port.</param>
/// <param name="asking">What is about to be sent to the database; it is once this has ended.</param>
/// <param name="answering">What the database sends, to be changed in place.</param>
internal sealed class ScriptedRelay(int database, Func<ReadOnlyMemory<byte>, Task>? asking = null, Action<Memory<byte>>? answering = null)
    : Relay(new IPEndPoint(IPAddress.Loopback, database))
{
    protected override (Func<Memory<byte>, ValueTask<Fate>> Asking, Func<Memory<byte>, ValueTask<Fate>> Answering)? Connect() =>
        (async bytes =>
        {
            if (asking is not null) await asking(bytes);
            return Fate.Pass;
        }, bytes =>
        {
            answering?.Invoke(bytes);
            return new(Fate.Pass);
        });
}
