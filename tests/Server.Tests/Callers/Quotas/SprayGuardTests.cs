using System.Diagnostics.Metrics;
using System.Net;
using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Callers.Quotas;

public sealed class SprayGuardTests : IDisposable
{
    private static readonly SprayOptions Options = new()
    {
        Window = TimeSpan.FromMinutes(1),
        Wrong = 100,
        Accounts = 20,
        Total = 300,
        Pause = TimeSpan.FromMinutes(2),
    };

    private static readonly Principal Shop = new(CallerKind.Service, "t", "shop", Scopes.Verify);
    private static readonly Principal Bank = new(CallerKind.Service, "t", "bank", Scopes.Verify);

    private readonly FakeTimeProvider _clock = new();
    private readonly Meters _meters = new();
    private readonly MeterListener _listener = new();
    private readonly List<object?> _episodes = [];
    private readonly SprayGuard _guard;
    private int _account;

    public SprayGuardTests()
    {
        _guard = new SprayGuard(Options, _clock, _meters, NullLogger<SprayGuard>.Instance);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == _meters && instrument.Name == "mfa.sprays") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => _episodes.Add(tags[0].Value));
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _meters.Dispose();
    }

    [Fact]
    public void The_hundredth_wrong_code_pauses_its_caller_and_no_other_and_is_told_once()
    {
        Spray(Shop, 99);
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop));

        Spray(Shop, 1);

        Assert.Equal(TimeSpan.FromMinutes(2), _guard.WaitOf(Shop));
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Bank));
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop with { Tenant = "another" }));
        Spray(Shop, 150); // were on their way
        Assert.Equal(["service"], _episodes);
    }

    [Fact]
    public void A_pause_ends_and_the_next_takes_as_many_again()
    {
        Spray(Shop, 100);
        _clock.Advance(Options.Pause - TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeSpan.FromMilliseconds(1), _guard.WaitOf(Shop));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop));

        Spray(Shop, 99);
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop));
        Spray(Shop, 1);

        Assert.Equal(Options.Pause, _guard.WaitOf(Shop));
        Assert.Equal(["service", "service"], _episodes);
    }

    [Fact]
    public void What_lies_before_the_window_does_not_count()
    {
        for (var i = 0; i < 20; i++)
        {
            Spray(Shop, 49);
            _clock.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop));
        _clock.Advance(TimeSpan.FromHours(1));
        Spray(Shop, 99);
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop));
    }

    [Fact]
    public void Wrong_codes_spread_over_the_window_count_together()
    {
        for (var i = 0; i < 5; i++)
        {
            Spray(Shop, 20);
            _clock.Advance(TimeSpan.FromSeconds(9));
        }

        Assert.NotEqual(TimeSpan.Zero, _guard.WaitOf(Shop));
    }

    [Fact]
    public void Few_accounts_are_left_to_their_own_locks()
    {
        for (var i = 0; i < 1_000; i++) _guard.Saw(Shop, new AccountKey("t", $"account-{i % 19}"), CheckKind.Wrong);

        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop));
        _guard.Saw(Shop, new AccountKey("t", "account-20"), CheckKind.Wrong);
        Assert.NotEqual(TimeSpan.Zero, _guard.WaitOf(Shop));
    }

    [Fact]
    public void Only_wrong_codes_count()
    {
        foreach (var kind in Enum.GetValues<CheckKind>().Where(kind => kind != CheckKind.Wrong))
        {
            for (var i = 0; i < 200; i++) _guard.Saw(Shop, new AccountKey("t", $"account-{i}"), kind);
        }

        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop));
    }

    [Fact]
    public void People_count_by_the_address_they_share_and_a_tenth_is_enough()
    {
        for (var i = 0; i < 10; i++) _guard.Saw(PersonAt($"person-{i}", "192.0.2.1"), NextAccount(), CheckKind.Wrong);

        Assert.Equal(Options.Pause, _guard.WaitOf(PersonAt("another", "192.0.2.1")));
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(PersonAt("person-1", "192.0.2.2")));
        Assert.Equal(["people"], _episodes);
    }

    [Fact]
    public void Past_the_threshold_of_all_together_a_tenth_stops_one_and_the_others_go_on()
    {
        for (var i = 0; i < 30; i++) Spray(Shop with { Name = $"shop-{i}" }, 9);
        Spray(Bank, 29);
        Assert.Empty(_episodes);

        Spray(Bank, 1);

        Assert.Equal(Options.Pause, _guard.WaitOf(Bank));
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop with { Name = "shop-1" }));
        Spray(Shop with { Name = "shop-1" }, 1);
        Assert.Equal(Options.Pause, _guard.WaitOf(Shop with { Name = "shop-1" }));
        Assert.Equal(["everybody", "service", "service"], _episodes);
    }

    [Fact]
    public void However_many_callers_come_the_newcomers_are_held_to_account_together()
    {
        for (var i = 0; i < 4_096; i++) Spray(Shop with { Name = $"shop-{i}" }, 1);
        for (var i = 0; i < 100; i++) Spray(Bank with { Name = $"bank-{i}" }, 1);

        Assert.NotEqual(TimeSpan.Zero, _guard.WaitOf(Bank));
        Assert.Equal(TimeSpan.Zero, _guard.WaitOf(Shop with { Name = "shop-1" }));
    }

    private void Spray(Principal caller, int times)
    {
        for (var i = 0; i < times; i++) _guard.Saw(caller, NextAccount(), CheckKind.Wrong);
    }

    private AccountKey NextAccount() => new("t", $"account-{_account++}");

    private static Principal PersonAt(string name, string address) => Principal.Person(name) with { Peer = IPAddress.Parse(address) };
}
