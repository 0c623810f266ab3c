using Mfa.Server.Domain;
using Mfa.Server.Observability;

namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// Notices one guess at each of many accounts. Counts the wrong codes of a service, or of all people at one address, because a
/// person guesses at one account alone; and those of everybody. A source that goes past its threshold is kept from guessing
/// for a while; right codes of the others are not touched.
/// </summary>
internal sealed class SprayGuard
{
    /// <summary>Sources with wrong codes in the window, at the same time.</summary>
    private const int MaxSources = 4_096;

    /// <summary>Part of the threshold that is enough for an address of people, and for everybody while all together are past theirs.</summary>
    private const int Tenth = 10;

    private readonly SprayOptions _options;
    private readonly BoundedTable<SpraySource, WrongCodes> _sources;
    private readonly WrongCodes _all;
    private readonly Meters _meters;
    private readonly ILogger<SprayGuard> _log;

    public SprayGuard(SprayOptions options, TimeProvider clock, Meters meters, ILogger<SprayGuard> log)
    {
        (_options, _meters, _log) = (options, meters, log);
        _sources = new(MaxSources, _ => new WrongCodes(options, clock), source => source.IsIdle, clock);
        _all = new WrongCodes(options, clock);
    }

    /// <summary>Told of every wrong code that came to this server, with the digest of its account.</summary>
    public Action<SpraySource, long>? Counted { get; set; }

    /// <returns>How long the caller must not guess; zero when it may.</returns>
    public TimeSpan WaitOf(Principal caller) => _sources.Find(SpraySource.Of(caller))?.Pause ?? TimeSpan.Zero;

    /// <summary>To be told of every code or token that was compared.</summary>
    public void Saw(Principal caller, AccountKey account, CheckKind kind)
    {
        if (kind != CheckKind.Wrong) return; // a used one was right: that is a person who clicked twice
        var (source, digest) = (SpraySource.Of(caller), account.Digest());
        Counted?.Invoke(source, digest);
        if (Count(source, 1, [digest], TimeSpan.Zero) is { } spray)
            _log.Spray(caller.Id, caller.Tenant, PeerNetwork.Of(caller.Peer).ToString(), spray.Wrong, spray.Accounts, _options.Pause);
    }

    /// <summary>Counts wrong codes that came to another server, so long ago.</summary>
    public void Hear(WrongGuesses wrong, TimeSpan age)
    {
        if (Count(wrong.Source, wrong.Wrong, wrong.Accounts, age) is not { } spray) return;
        var (caller, tenant) = wrong.Source.Service is { } service ? ($"{service.Origin}:{service.Name}", service.Tenant) : ("people", Principal.DefaultTenant);
        var from = wrong.Source.Service is null ? wrong.Source.People.ToString() : "several servers";
        _log.Spray(caller, tenant, from, spray.Wrong, spray.Accounts, _options.Pause);
    }

    private SprayLimit? Count(SpraySource source, int wrong, ReadOnlySpan<long> accounts, TimeSpan age)
    {
        if (_all.Add(wrong, accounts, age, new SprayLimit(_options.Total, _options.Accounts)) is { } everybody)
        {
            _meters.Sprayed("everybody");
            _log.SprayOfAll(everybody.Wrong, everybody.Accounts, _options.Pause);
        }

        var spray = _sources.Get(source).Add(wrong, accounts, age, LimitOf(source));
        if (spray is not null) _meters.Sprayed(source.Service is null ? "people" : "service");
        return spray;
    }

    private SprayLimit LimitOf(SpraySource source)
    {
        var strict = source.Service is null || _all.Pause > TimeSpan.Zero;
        return strict
            ? new SprayLimit(Math.Max(2, _options.Wrong / Tenth), Math.Max(2, _options.Accounts / Tenth))
            : new SprayLimit(_options.Wrong, _options.Accounts);
    }
}
