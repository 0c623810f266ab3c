using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Mfa.V1;

namespace Mfa.Bench;

/// <summary>
/// One HTTP/2 connection that can do nothing but Verify (RFC 9113, and HPACK of RFC 7541), and takes 5 µs of a processor for a call. A gRPC client
/// for .NET takes 29, more than half of what the server does, and would have them from the server: pgbench, too, only writes and reads bytes.
/// </summary>
internal sealed class VerifyWire : IDisposable
{
    private const int FrameHeaderBytes = 9;
    private const int GrpcPrefixBytes = 5;
    private const int MostFrameBytes = 16 * 1024;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private const byte Ack = 1;
    private const int LargestWindow = int.MaxValue;
    private const int FirstWindow = 65_535;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _in = new byte[16 * MostFrameBytes];
    private readonly byte[] _out = new byte[16 * MostFrameBytes];
    private readonly byte[] _first;
    private readonly byte[] _headers;
    private readonly Dictionary<int, Call> _calls = [];
    private int _read;
    private int _written;
    private int _stream = -1;

    public VerifyWire(Uri address, string authorization)
    {
        (string, string)[] headers =
        [
            (":method", "POST"), (":scheme", "http"), (":path", "/mfa.v1.MfaService/Verify"), (":authority", address.Authority), ("te", "trailers"),
            ("content-type", "application/grpc"), ("authorization", authorization),
        ];
        // Told once, each takes a byte from then on: the newest of what was told is number 62 (RFC 7541 §2.3.3).
        _first = [.. headers.SelectMany(header => new byte[] { 0x40 }.Concat(Literal(header.Item1)).Concat(Literal(header.Item2)))];
        _headers = [.. headers.Select((_, i) => (byte)(0x80 | (62 + headers.Length - 1 - i)))];
        _socket.Connect(new IPEndPoint(IPAddress.Parse(address.Host), address.Port));
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.CopyTo(_out);
        _written = 24;
        Frame(FrameKind.Settings, 0, 0, []);
        Span<byte> more = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(more, LargestWindow - FirstWindow);
        Frame(FrameKind.WindowUpdate, 0, 0, more); // enough for all answers of a run
    }

    private enum FrameKind : byte
    {
        Data,
        Headers,
        Priority,
        Reset,
        Settings,
        Push,
        Ping,
        GoAway,
        WindowUpdate,
    }

    /// <summary>What was asked and not yet answered.</summary>
    public int InFlight => _calls.Count;

    /// <summary>Puts a call behind those that <see cref="Send"/> will send.</summary>
    public void Add(VerifyRequest request)
    {
        Frame(FrameKind.Headers, EndHeaders, _stream += 2, _stream == 1 ? _first : _headers);
        Span<byte> data = stackalloc byte[GrpcPrefixBytes + request.CalculateSize()];
        data.Clear();
        BinaryPrimitives.WriteInt32BigEndian(data[1..], data.Length - GrpcPrefixBytes);
        request.WriteTo(data[GrpcPrefixBytes..]);
        Frame(FrameKind.Data, EndStream, _stream, data);
        _calls.Add(_stream, new Call(request, Stopwatch.GetTimestamp()));
    }

    public void Send()
    {
        for (var sent = 0; sent < _written;) sent += _socket.Send(_out.AsSpan(sent, _written - sent));
        _written = 0;
    }

    /// <summary>Waits for answers and hands on each call that has ended.</summary>
    public void Receive(Action<Call> answered)
    {
        var got = _socket.Receive(_in.AsSpan(_read));
        Expect.That(got > 0, "the server closed a connection");
        _read += got;
        var at = 0;
        while (_read - at >= FrameHeaderBytes)
        {
            var length = (_in[at] << 16) | (_in[at + 1] << 8) | _in[at + 2];
            if (_read - at < FrameHeaderBytes + length) break;
            Take((FrameKind)_in[at + 3], _in[at + 4], BinaryPrimitives.ReadInt32BigEndian(_in.AsSpan(at + 5)), _in.AsSpan(at + FrameHeaderBytes, length), answered);
            at += FrameHeaderBytes + length;
        }

        _in.AsSpan(at, _read - at).CopyTo(_in);
        _read -= at;
    }

    public void Dispose() => _socket.Dispose();

    private static IEnumerable<byte> Literal(string text) => text.Length < 127
        ? [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)]
        : throw new RefusedToReportException($"{text} is too long a header");

    private void Take(FrameKind kind, byte flags, int stream, ReadOnlySpan<byte> payload, Action<Call> answered)
    {
        switch (kind)
        {
            case FrameKind.Data:
                _calls[stream].Answer = VerifyResponse.Parser.ParseFrom(payload[GrpcPrefixBytes..]);
                break;
            case FrameKind.Headers when (flags & EndStream) != 0:
                Expect.That(_calls.Remove(stream, out var call) && call.Answer is not null, "a call failed"); // it has an end and no message
                answered(call!);
                break;
            case FrameKind.Reset or FrameKind.GoAway:
                throw new RefusedToReportException($"the server sent {kind}");
            case FrameKind.Settings or FrameKind.Ping when (flags & Ack) == 0:
                Frame(kind, Ack, 0, kind is FrameKind.Ping ? payload : []);
                break;
        }
    }

    private void Frame(FrameKind kind, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = _out.AsSpan(_written);
        frame[0] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(frame[1..], (ushort)payload.Length);
        frame[3] = (byte)kind;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame[5..], stream);
        payload.CopyTo(frame[FrameHeaderBytes..]);
        _written += FrameHeaderBytes + payload.Length;
    }

    /// <param name="Request">What was asked.</param>
    /// <param name="Start">When, by <see cref="Stopwatch.GetTimestamp"/>.</param>
    internal sealed record Call(VerifyRequest Request, long Start)
    {
        public VerifyResponse? Answer { get; set; }
    }
}
