using System.Security.Cryptography;
using Mfa.Server.Protection;

namespace Mfa.Server.Callers;

internal enum PasswordAnswer
{
    /// <summary>Name or password wrong; which of them is not told, nor does the time tell.</summary>
    Refused = 0,
    Right,

    /// <summary>Too many are being checked already; nothing was looked at.</summary>
    Busy,
}

/// <summary>Checks passwords, a few at a time: one costs about 180 ms of a core, which makes it a lever for an attacker.</summary>
internal sealed class PasswordGate : IDisposable
{
    private readonly UserDirectory _directory;
    private readonly PasswordHasher _hasher;
    private readonly PasswordOptions _options;
    private readonly SemaphoreSlim _workers;
    private readonly PasswordHash _nobody;
    private int _waiting;

    public PasswordGate(UserDirectory directory, PasswordHasher hasher, PasswordOptions options)
    {
        (_directory, _hasher, _options) = (directory, hasher, options);
        _workers = new SemaphoreSlim(options.Parallel);
        // Never matches, costs as much as a real one: an unknown name takes the time of a wrong password.
        _nobody = new PasswordHash(hasher.ActiveKeyId, options.Rounds, RandomNumberGenerator.GetBytes(16), RandomNumberGenerator.GetBytes(32));
    }

    public async Task<PasswordAnswer> CheckAsync(string name, string password, CancellationToken ct)
    {
        if (Interlocked.Increment(ref _waiting) > _options.Parallel + _options.Queue)
        {
            Interlocked.Decrement(ref _waiting);
            return PasswordAnswer.Busy;
        }

        try
        {
            await _workers.WaitAsync(ct);
            try
            {
                var stored = _directory.FindPassword(name);
                var right = await Task.Run(() => _hasher.Matches(password, stored ?? _nobody), ct);
                return right && stored is not null ? PasswordAnswer.Right : PasswordAnswer.Refused;
            }
            finally
            {
                _workers.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Dispose() => _workers.Dispose();
}
