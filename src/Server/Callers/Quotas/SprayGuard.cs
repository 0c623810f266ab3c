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
    private readonly BoundedTable<Source, WrongCodes> _sources;
    private readonly WrongCodes _all;
    private readonly Meters _meters;
    private readonly ILogger<SprayGuard> _log;

    public SprayGuard(SprayOptions options, TimeProvider clock, Meters meters, ILogger<SprayGuard> log)
    {
        (_options, _meters, _log) = (options, meters, log);
        _sources = new(MaxSources, _ => new WrongCodes(options, clock), source => source.IsIdle, clock);
        _all = new WrongCodes(options, clock);
    }

    /// <returns>How long the caller must not guess; zero when it may.</returns>
    public TimeSpan WaitOf(Principal caller) => _sources.Find(Source.Of(caller))?.Pause ?? TimeSpan.Zero;

    /// <summary>To be told of every code or token that was compared.</summary>
    public void Saw(Principal caller, AccountKey account, CheckKind kind)
    {
        if (kind != CheckKind.Wrong) return; // a used one was right: that is a person who clicked twice
        var hash = account.GetHashCode();
        if (_all.Add(hash, new SprayLimit(_options.Total, _options.Accounts)) is { } everybody)
        {
            _meters.Sprayed("everybody");
            _log.SprayOfAll(everybody.Wrong, everybody.Accounts, _options.Pause);
        }

        if (_sources.Get(Source.Of(caller)).Add(hash, LimitOf(caller)) is not { } one) return;
        _meters.Sprayed(caller.Kind == CallerKind.Person ? "people" : "service");
        _log.Spray(caller.Id, caller.Tenant, PeerNetwork.Of(caller.Peer).ToString(), one.Wrong, one.Accounts, _options.Pause);
    }

    private SprayLimit LimitOf(Principal caller)
    {
        var strict = caller.Kind == CallerKind.Person || _all.Pause > TimeSpan.Zero;
        return strict
            ? new SprayLimit(Math.Max(2, _options.Wrong / Tenth), Math.Max(2, _options.Accounts / Tenth))
            : new SprayLimit(_options.Wrong, _options.Accounts);
    }

    private readonly record struct Source(CallerKey? Service, PeerNetwork People)
    {
        public static Source Of(Principal caller) => caller.Kind == CallerKind.Person
            ? new Source(Service: null, PeerNetwork.Of(caller.Peer))
            : new Source(CallerKey.Of(caller), default);
    }
}
