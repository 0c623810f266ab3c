using System.Net;
using Mfa.EndToEnd.Calls;

namespace Mfa.EndToEnd.Postgres;

/// <summary>
/// The network between a server and its database, which can break in the worst moment: while a group of decisions is being
/// committed. Requests that save such a group are told by the statement that moves the end of the audit trail, which is prepared once on
/// each connection and then goes by its name.
/// </summary>
internal sealed class CommitRelay(int database) : Relay(new IPEndPoint(IPAddress.Loopback, database))
{
    private static readonly byte[] MoveHead = "UPDATE audit_head SET seq = $1"u8.ToArray();

    private int _next;
    private volatile bool _down;

    private enum Loss
    {
        None = 0,
        Answer,
        AnswerAndAll,
        Commit,
    }

    /// <summary>The next commit gets through, and its answer does not.</summary>
    /// <param name="andStay">Nothing gets through after it, until <see cref="Mend"/>.</param>
    public void LoseAnswer(bool andStay) => Interlocked.Exchange(ref _next, (int)(andStay ? Loss.AnswerAndAll : Loss.Answer));

    /// <summary>The next commit does not get through.</summary>
    public void LoseCommit() => Interlocked.Exchange(ref _next, (int)Loss.Commit);

    public void Mend() => _down = false;

    protected override (Func<Memory<byte>, ValueTask<Fate>> Asking, Func<Memory<byte>, ValueTask<Fate>> Answering)? Connect()
    {
        if (_down) return null;
        byte[]? bind = null;
        var loss = (int)Loss.None; // of the answer that is awaited
        return (bytes =>
        {
            if (_down) return new(Fate.Cut);
            bind = BindOf(bytes.Span) ?? bind;
            if (bind is null || bytes.Span.IndexOf(bind) < 0 || (Loss)Interlocked.Exchange(ref _next, 0) is not (not Loss.None and var lost)) return new(Fate.Pass);
            if (lost == Loss.Commit) return new(Fate.Cut);
            Volatile.Write(ref loss, (int)lost);
            return new(Fate.Pass);
        }, bytes =>
        {
            var lost = (Loss)Volatile.Read(ref loss);
            if (lost == Loss.None) return new(Fate.Pass);
            if (!EndsRequest(bytes.Span)) return new(Fate.Drop); // it is not committed yet
            _down = lost == Loss.AnswerAndAll;
            return new(Fate.Cut);
        });
    }

    /// <summary>
    /// Of the message Parse, which gives the statement its name: what the message Bind holds of it, the end of the portal's name first.
    /// Null also for a statement without a name: it is of a transaction that has more to come.
    /// </summary>
    private static byte[]? BindOf(ReadOnlySpan<byte> asked)
    {
        if (asked.IndexOf(MoveHead) is not (>= 0 and var at)) return null;
        var before = asked[..asked[..at].LastIndexOf((byte)0)];
        if (before.LastIndexOf("_p"u8) is not (>= 0 and var name)) return null;
        var number = before[(name + 2)..];
        return number.Length == 0 || number.ContainsAnyExceptInRange((byte)'0', (byte)'9') ? null : [0, .. before[name..], 0];
    }

    /// <summary>ReadyForQuery, idle: the last six bytes of an answer whose transaction has ended.</summary>
    private static bool EndsRequest(ReadOnlySpan<byte> answer) => answer.EndsWith("Z\0\0\0\u0005I"u8);
}
