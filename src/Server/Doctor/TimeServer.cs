using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Mfa.Server.Doctor;

/// <summary>Asks a time server once (SNTP, RFC 4330 §5). Good to a fraction of the way there and back, which is enough to judge by.</summary>
internal static class TimeServer
{
    public const int DefaultPort = 123;

    private const int PacketBytes = 48;
    private const byte ClientOfVersion4 = 4 << 3 | 3;
    private const byte ServerMode = 4;
    private const int NotSynchronised = 3;
    private const int OriginateAt = 24;
    private const int ReceiveAt = 32;
    private const int TransmitAt = 40;

    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1); // datagrams get lost

    private static readonly DateTimeOffset Era = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static bool IsReference(string text) => Parse(text) is not null;

    /// <returns>How much the server is ahead of this clock.</returns>
    /// <exception cref="InvalidDataException">It answered, but not with a time.</exception>
    public static async Task<TimeSpan> OffsetAsync(string reference, TimeProvider clock, CancellationToken ct)
    {
        var (host, port) = Parse(reference) ?? throw new InvalidDataException("no host or host:port.");
        using var socket = new UdpClient(host, port); // connected: answers of others do not arrive
        while (true)
        {
            // Random where a client would tell its own time: only the server that was asked can repeat it.
            var question = new byte[PacketBytes];
            question[0] = ClientOfVersion4;
            RandomNumberGenerator.Fill(question.AsSpan(TransmitAt));
            var sent = clock.GetUtcNow();
            await socket.SendAsync(question, ct);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(AskAgain);
            try
            {
                var answer = (await socket.ReceiveAsync(patience.Token)).Buffer;
                var back = clock.GetUtcNow();
                return Offset(question, answer, sent, back);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // Lost: once more.
            }
        }
    }

    /// <summary>RFC 4330 §5: half the sum of what the server's clock was ahead on the way there and on the way back.</summary>
    public static TimeSpan Offset(byte[] question, byte[] answer, DateTimeOffset sent, DateTimeOffset back)
    {
        if (answer.Length < PacketBytes || (answer[0] & 7) != ServerMode || !answer.AsSpan(OriginateAt, 8).SequenceEqual(question.AsSpan(TransmitAt, 8)))
            throw new InvalidDataException("no answer of a time server.");
        if (answer[0] >> 6 == NotSynchronised || answer[1] is 0 or > 15)
            throw new InvalidDataException("that server does not know the time itself.");
        var (received, transmitted) = (Time(answer, ReceiveAt, back), Time(answer, TransmitAt, back));
        return (received - sent + (transmitted - back)) / 2;
    }

    /// <summary>Seconds and their fractions of 2^-32 since 1900, or since the turn of 2036, whichever is nearer to now.</summary>
    private static DateTimeOffset Time(byte[] answer, int at, DateTimeOffset now)
    {
        var seconds = BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(at));
        var fraction = BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(at + 4)) / (double)(1L << 32);
        var ours = (long)(now - Era).TotalSeconds;
        var wraps = (ours - seconds + (1L << 31)) >> 32;
        return Era.AddSeconds(seconds + (wraps << 32)).AddTicks((long)(fraction * TimeSpan.TicksPerSecond));
    }

    private static (string Host, int Port)? Parse(string text) =>
        Uri.TryCreate($"ntp://{text}", UriKind.Absolute, out var uri) && uri.HostNameType is not (UriHostNameType.Unknown or UriHostNameType.Basic)
            && uri.Authority.Equals(text, StringComparison.OrdinalIgnoreCase) && uri.Port is not 0
            ? (uri.IdnHost, uri.Port < 0 ? DefaultPort : uri.Port)
            : null;
}
