using Mfa.Server.Domain;
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
    /// <summary>As for codes, without a cap: a name that is blocked for good would be a gift to whoever wants its owner out.</summary>
    private static readonly GuessPolicy Policy = new(Run: 5, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), Cap: null);

    private readonly UserDirectory _directory;
    private readonly TimeProvider _clock;
    private readonly PasswordHasher _hasher;
    private readonly PasswordOptions _options;
    private readonly SemaphoreSlim _workers;
    private int _waiting;

    public PasswordGate(UserDirectory directory, PasswordHasher hasher, PasswordOptions options, TimeProvider clock)
    {
        (_directory, _hasher, _options, _clock) = (directory, hasher, options, clock);
        _workers = new SemaphoreSlim(options.Parallel);
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
                return await CheckAsync(name, password);
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

    /// <summary>Once begun it takes no cancellation: a wrong password counts, whether or not the caller is still there.</summary>
    private async Task<PasswordAnswer> CheckAsync(string name, string password)
    {
        var now = _clock.GetUtcNow();
        var stored = _directory.FindPassword(name);
        var right = await Task.Run(() => _hasher.Matches(password, stored?.Hash ?? _hasher.Nobody(_options.Rounds)));
        if (stored is null || stored.Guesses.IsLocked(now)) return PasswordAnswer.Refused;
        if (!right)
        {
            await _directory.CountWrongPasswordAsync(name, Policy, now);
            return PasswordAnswer.Refused;
        }

        if (stored.Guesses.Failures > 0) await _directory.ClearWrongPasswordsAsync(name);
        return PasswordAnswer.Right;
    }

    public void Dispose() => _workers.Dispose();
}
