using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.MicroBench;

/// <summary>Opening a shared secret, key derivation and binding included, against the bare cipher.</summary>
[MemoryDiagnoser]
public class SealBench : IDisposable
{
    private static readonly AccountKey Account = new("default", "alice@example.org");
    private static readonly TotpParameters Totp = new(OtpAlgorithm.Sha1, Digits: 6, PeriodSeconds: 30);
    private readonly Guid _enrollment = Guid.NewGuid();
    private readonly Sealer _sealer = new(new KeyRing(1, new Dictionary<uint, byte[]> { [1] = RandomNumberGenerator.GetBytes(KeyRing.KeyBytes) }));
    private readonly AesGcm _cipher = new(RandomNumberGenerator.GetBytes(32), tagSizeInBytes: 16);
    private readonly byte[] _nonce = new byte[12];
    private readonly byte[] _tag = new byte[16];
    private readonly byte[] _encrypted = new byte[20];
    private readonly byte[] _plain = new byte[20];
    private readonly SealedBytes _sealed;

    public SealBench()
    {
        _cipher.Encrypt(_nonce, _plain, _encrypted, _tag);
        _sealed = _sealer.Seal(_plain, Binding());
    }

    public void Dispose()
    {
        _cipher.Dispose();
        GC.SuppressFinalize(this); // BenchmarkDotNet derives from this class
    }

    [Benchmark(Baseline = true)]
    public void BareCipher() => _cipher.Decrypt(_nonce, _encrypted, _tag, _plain);

    [Benchmark]
    public void Open() => _sealer.OpenSecret(_sealed, Binding()).Dispose();

    [Benchmark]
    public object Seal() => _sealer.Seal(_plain, Binding());

    private byte[] Binding() => Sealer.SecretBinding(Account, _enrollment, Method.Authenticator, Totp);
}
