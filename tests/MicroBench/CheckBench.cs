using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Mfa.Server.Domain;

namespace Mfa.MicroBench;

/// <summary>The three codes of a window, against one HMAC of the base library.</summary>
[MemoryDiagnoser]
public class CheckBench
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TotpParameters Totp = new(OtpAlgorithm.Sha1, Digits: 6, PeriodSeconds: 30);
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(20);
    private readonly byte[] _counter = new byte[8];
    private readonly byte[] _hash = new byte[20];
    private readonly OtpCode _code = OtpCode.Parse("123456")!;

#pragma warning disable CA5350 // what RFC 6238 is made of
    [Benchmark(Baseline = true)]
    public int OneHmac() => HMACSHA1.HashData(_secret, _counter, _hash);
#pragma warning restore CA5350

    [Benchmark]
    public long? Window() => TotpMatch.Newest(_secret, Totp, tolerance: 1, _code, Now);
}
