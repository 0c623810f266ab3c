using Mfa.Server.Callers.Quotas;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Protection;

namespace Mfa.Server.Callers;

/// <param name="IsRight">False also for an unknown name; which of them it was is not told, nor does the time tell.</param>
/// <param name="Limited">Why nothing was looked at; null when it was.</param>
internal readonly record struct PasswordCheck(bool IsRight, Limited? Limited = null);

/// <summary>Checks passwords, a few at a time: one costs about 180 ms of a core, which makes it a lever for an attacker.</summary>
internal sealed class PasswordGate : IDisposable
{
    /// <summary>As for codes, without a cap: a name that is blocked for good would be a gift to whoever wants its owner out.</summary>
    private static readonly GuessPolicy Policy = new(Run: 5, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), Cap: null);

    /// <summary>A few checks' time: when a place becomes free is not known.</summary>
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(1);

    private readonly UserDirectory _directory;
    private readonly TimeProvider _clock;
    private readonly PasswordHasher _hasher;
    private readonly PasswordQueue _queue;
    private readonly SemaphoreSlim _workers;
    private readonly PasswordOptions _options;
    private readonly FailedCallers _failures;
    private readonly RefusalTally _refusals;
    private readonly Meters _meters;
    private readonly ILogger<PasswordGate> _log;

    public PasswordGate(
        UserDirectory directory, PasswordHasher hasher, PasswordOptions options, FailedCallers failures, TimeProvider clock, Meters meters,
        ILogger<PasswordGate> log)
    {
        (_directory, _hasher, _options, _failures, _clock, _meters, _log) = (directory, hasher, options, failures, clock, meters, log);
        _queue = new PasswordQueue(options);
        _refusals = new RefusalTally(clock);
        _workers = new SemaphoreSlim(options.Parallel);
    }

    public async Task<PasswordCheck> CheckAsync(string name, string password, PeerNetwork peer, CancellationToken ct)
    {
        if (_failures.BeforePassword(peer) is { } limited) return new PasswordCheck(IsRight: false, limited);
        if (!_queue.TryEnter(name, peer)) return new PasswordCheck(IsRight: false, Busy());
        try
        {
            await _workers.WaitAsync(ct);
            try
            {
                var right = await IsRightAsync(name, password);
                _meters.Password(right);
                if (!right) _failures.CountPassword(peer);
                return new PasswordCheck(right);
            }
            finally
            {
                _workers.Release();
            }
        }
        finally
        {
            _queue.Leave(name, peer);
        }
    }

    private Limited Busy()
    {
        _meters.Limited("passwords");
        if (_refusals.Report() is { } times) _log.PasswordsLimited(times);
        return new Limited("passwords", BusyWait);
    }

    /// <summary>Once begun it takes no cancellation: a wrong password counts, whether or not the caller is still there.</summary>
    private async Task<bool> IsRightAsync(string name, string password)
    {
        var now = _clock.GetUtcNow();
        var stored = _directory.FindPassword(name);
        var right = await Task.Run(() => _hasher.Matches(name, password, stored?.Hash ?? _hasher.Nobody(_options.Rounds)));
        if (stored is null || stored.Guesses.IsLocked(now)) return false;
        if (!right)
        {
            await _directory.CountWrongPasswordAsync(name, Policy, now);
            if (stored.Guesses.AfterWrong(Policy, now).IsLocked(now)) _meters.Shut(Door.Password, blocked: false);
            return false;
        }

        if (stored.Guesses.Failures > 0) await _directory.ClearWrongPasswordsAsync(name);
        return true;
    }

    public void Dispose() => _workers.Dispose();
}
