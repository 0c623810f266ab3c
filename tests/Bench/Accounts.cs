using Grpc.Core;
using Grpc.Net.Client;
using Mfa.V1;
using OtpNet;

namespace Mfa.Bench;

/// <summary>Enrolled accounts and which of their codes were used.</summary>
internal sealed class Accounts
{
    private readonly List<(string Name, Totp Totp)> _accounts = [];
    private readonly long[] _lastStep;
    private int _cursor;

    private Accounts(int count, Metadata key) => (_lastStep, Key) = (new long[count], key);

    public int Count => _accounts.Count;

    public Metadata Key { get; }

    public static async Task<Accounts> EnrolAsync(string address, string key, int count, int inFlight)
    {
        var accounts = new Accounts(count, new Metadata { { "authorization", $"Bearer {key}" } });
        using var channel = GrpcChannel.ForAddress(address);
        var client = new MfaService.MfaServiceClient(channel);
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
            {
                var pending = await client.EnableAsync(new EnableRequest { Account = $"account-{i}", Method = Method.Authenticator }, accounts.Key);
                var totp = new Totp(Base32Encoding.ToBytes(pending.Secret));
                var step = Now();
                var proven = await client.VerifyAsync(
                    new VerifyRequest { Account = pending.Account, Code = CodeAt(totp, step), EnrollmentId = pending.EnrollmentId }, accounts.Key);
                if (proven.Verdict != Verdict.Accepted) throw new InvalidOperationException($"Enrolling got {proven.Verdict}.");
                lock (accounts._accounts)
                {
                    accounts._lastStep[accounts._accounts.Count] = step;
                    accounts._accounts.Add((pending.Account, totp));
                }
            }
        }));
        return accounts;
    }

    /// <summary>The next account, with a code of it that was never used; null when all are used up for now.</summary>
    public VerifyRequest? NextRight()
    {
        for (var tries = 0; tries < _accounts.Count; tries++)
        {
            var i = (int)((uint)Interlocked.Increment(ref _cursor) % (uint)_accounts.Count);
            var last = Volatile.Read(ref _lastStep[i]);
            var step = Math.Max(last + 1, Now());
            if (step > Now() + 1 || Interlocked.CompareExchange(ref _lastStep[i], step, last) != last) continue;
            return new VerifyRequest { Account = _accounts[i].Name, Code = CodeAt(_accounts[i].Totp, step) };
        }

        return null;
    }

    /// <summary>The next account, with a code of ten steps ago.</summary>
    public VerifyRequest NextWrong()
    {
        var i = (int)((uint)Interlocked.Increment(ref _cursor) % (uint)_accounts.Count);
        return new VerifyRequest { Account = _accounts[i].Name, Code = CodeAt(_accounts[i].Totp, Now() - 10) };
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 30;

    private static string CodeAt(Totp totp, long step) => totp.ComputeTotp(DateTimeOffset.FromUnixTimeSeconds(step * 30).UtcDateTime);
}
