using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Grpc.Core;
using Grpc.Net.Client;
using Mfa.V1;

namespace Mfa.Bench;

/// <summary>Enrolled accounts, and which of their codes were used. Codes cost one HMAC, so that the load stays lighter than what it measures.</summary>
internal sealed class Accounts
{
    private const int SecretBytes = 20;
    private const int Period = 30;

    private readonly byte[] _secrets;
    private readonly int[] _lastSteps;
    private int _cursor = -1;

    private Accounts(byte[] secrets, int[] lastSteps, Metadata key) => (_secrets, _lastSteps, Key) = (secrets, lastSteps, key);

    public int Count => _lastSteps.Length;

    public Metadata Key { get; }

    public static async Task<Accounts> EnrolAsync(string address, string key, int count)
    {
        const int InFlight = 128;
        var accounts = new Accounts(new byte[count * SecretBytes], new int[count], new Metadata { { "authorization", $"Bearer {key}" } });
        using var channel = GrpcChannel.ForAddress(address);
        var client = new MfaService.MfaServiceClient(channel);
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
            {
                if (i % 50_000 == 0 && i > 0) Console.Error.WriteLine($"  {i} of {count} accounts");
                var pending = await client.EnableAsync(Enrolment(i), accounts.Key);
                Base32.Decode(pending.Secret, accounts._secrets.AsSpan(i * SecretBytes, SecretBytes));
                accounts._lastSteps[i] = Now();
                var proven = await client.VerifyAsync(
                    new VerifyRequest { Account = pending.Account, Code = accounts.CodeAt(i, accounts._lastSteps[i]), EnrollmentId = pending.EnrollmentId },
                    accounts.Key);
                Expect.That(proven.Verdict == Verdict.Accepted, $"enrolling got {proven.Verdict}");
            }
        }));
        return accounts;
    }

    /// <summary>The same accounts for a peer that keeps nothing: what it is sent uses up no code.</summary>
    public Accounts Copy() => new(_secrets, [.. _lastSteps], Key);

    /// <summary>Waits until so many accounts have a code that was never used: a slice that waits for the next time step measures nothing.</summary>
    public async Task WaitForCodesAsync(int needed)
    {
        while (_lastSteps.Count(last => last < Newest()) < Math.Min(needed, Count)) await Task.Delay(500);
    }

    /// <summary>The next account with a code of it that was never used.</summary>
    public VerifyRequest NextRight()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var i = Next();
            var last = Volatile.Read(ref _lastSteps[i]);
            var step = Math.Max(last + 1, Now());
            if (step <= Newest() && Interlocked.CompareExchange(ref _lastSteps[i], step, last) == last) return Request(i, step);
        }

        throw new RefusedToReportException("all codes are used up, more accounts are needed");
    }

    /// <summary>The next account with a code of ten steps ago: never in the window.</summary>
    public VerifyRequest NextWrong()
    {
        var i = Next();
        return Request(i, Now() - 10);
    }

    /// <summary>
    /// How many of the steps around now have this code. By chance three in a million codes of long ago are good again, and one in a million
    /// is that of the next step, too, which its use then uses up: a run of half a million calls meets some.
    /// </summary>
    public int StepsWith(VerifyRequest request)
    {
        var i = int.Parse(request.Account["account-".Length..], CultureInfo.InvariantCulture);
        return Enumerable.Range(Now() - 2, 5).Count(step => CodeAt(i, step) == request.Code);
    }

    /// <summary>The next account with the code it was enrolled with or used last, while that is in the window.</summary>
    public VerifyRequest NextReplay()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var i = Next();
            var last = Volatile.Read(ref _lastSteps[i]);
            if (last >= Now() - 1) return Request(i, last);
        }

        throw new RefusedToReportException("no account has a code that was used just now");
    }

    /// <summary>An enrolment of an account that no other workload uses.</summary>
    public EnableRequest NextEnrolment() => Enrolment(Count + Next());

    private static EnableRequest Enrolment(int i) => new() { Account = Name(i), Method = Method.Authenticator };

    private VerifyRequest Request(int i, int step) => new() { Account = Name(i), Code = CodeAt(i, step) };

    private static string Name(int i) => $"account-{i}";

    private int Next() => (int)((uint)Interlocked.Increment(ref _cursor) % (uint)Count);

    private static int Now() => (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Period);

    /// <summary>The newest step the server is sure to take: one ahead, but not at the edge, where its look at the clock may come out a moment earlier.</summary>
    private static int Newest() => (int)((TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 1) / Period) + 1;

    /// <summary>RFC 4226 §5.3 and RFC 6238 §4.2.</summary>
    private string CodeAt(int i, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        Span<byte> hash = stackalloc byte[20];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
#pragma warning disable CA5350 // what RFC 6238 is made of
        HMACSHA1.HashData(_secrets.AsSpan(i * SecretBytes, SecretBytes), counter, hash);
#pragma warning restore CA5350
        var truncated = BinaryPrimitives.ReadUInt32BigEndian(hash[(hash[19] & 15)..]) & 0x7fffffff;
        return (truncated % 1_000_000).ToString("000000");
    }
}
