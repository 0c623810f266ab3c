using System.Text.Json;
using System.Text.RegularExpressions;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Watch;

/// <summary>A server whose accounts are counted all the time.</summary>
public sealed class CountedServer() : DevServer(["telemetry:countSeconds=10", "sends:gapSeconds=0"]);

/// <summary>What operators see: on /metrics, in a real Prometheus, in the dashboard and in the alerts that are shipped.</summary>
public sealed partial class MetricsTests(CountedServer server) : IClassFixture<CountedServer>
{
    private static readonly string Shipped = Path.Combine(ServerProgram.Repository, "docs", "observability");
    private static readonly string Alerts = Path.Combine(Shipped, "alerts.yml");

    [Fact]
    public async Task Everything_that_was_decided_is_counted_once()
    {
        var before = await Scrape.OfAsync(server.Process);
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        var request = new VerifyRequest { Account = owner.Account, Code = owner.RecoveryCodes[0], RequestId = Guid.NewGuid().ToString() };
        for (var i = 0; i < 3; i++) Assert.Equal(Verdict.Accepted, (await server.Process.Dev.VerifyAsync(request)).Verdict);
        await server.Process.Dev.VerifyAsync(owner.Account, owner.UsedCode);
        foreach (var wrong in await owner.App.WrongCodesAsync(4)) await server.Process.Dev.VerifyAsync(owner.Account, wrong);
        await server.Process.Dev.VerifyAsync(owner.Account, owner.NextCode);
        var address = $"{Guid.NewGuid():N}@example.org";
        await server.Process.Dev.EnableAsync(new EnableRequest { Account = Owner.NewAccount(), Method = Method.Email, Email = address });
        await new Mailbox(server.Process, address).CodeAsync();

        Scrape after = null!;
        await Eventually.IsAsync("the message is told of", async () =>
        {
            after = await Scrape.OfAsync(server.Process);
            return Rise("mfa_sends_total", "channel=\"email\"", "provider=\"folder\"", "outcome=\"taken\"") == 1;
        });
        Assert.Equal(1, Rise("mfa_verdicts_total", "factor=\"authenticator\"", "outcome=\"accepted\""));
        Assert.Equal(1, Rise("mfa_verdicts_total", "factor=\"recovery_code\"", "outcome=\"accepted\""));
        Assert.Equal(1, Rise("mfa_verdicts_total", "outcome=\"used\""));
        Assert.Equal(4, Rise("mfa_verdicts_total", "outcome=\"wrong\""));
        Assert.Equal(1, Rise("mfa_verdicts_total", "outcome=\"locked\""));
        Assert.Equal(8, Rise("mfa_verdicts_total"));
        Assert.Equal(5, Rise("mfa_guesses_total", "call=\"verify\""));
        Assert.Equal((1.0, 1.0), (Rise("mfa_locks_total", "door=\"factor\"", "until=\"time\""), Rise("mfa_locks_total")));
        Assert.Equal((0.0, 0.0), (Rise("mfa_unavailable_total"), Rise("mfa_messages_given_up_total")));
        Assert.True(Rise("mfa_store_commit_duration_seconds_count") >= 10, "Not every commit was counted.");
        Assert.Equal(Rise("mfa_store_commit_duration_seconds_count"), Rise("mfa_store_commit_group_count"));
        Assert.DoesNotContain(owner.Account, after.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(address, after.Text, StringComparison.Ordinal);

        double Rise(string name, params string[] labels) => after[name, labels] - before[name, labels];
    }

    [Fact]
    public async Task Accounts_and_the_rows_of_keys_are_counted_in_the_background()
    {
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        for (var i = 0; i < 6; i++) await server.Process.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[i]);
        await server.Process.Dev.EnableAsync(Owner.NewAccount());

        await Eventually.IsAsync("accounts are counted", async () => await Scrape.OfAsync(server.Process) is var told
            && told.IfAny("mfa_accounts", "state=\"enabled\"") >= 1 && told.IfAny("mfa_accounts", "state=\"pending\"") >= 1
            && told.IfAny("mfa_accounts_few_recovery_codes") == 1 && told.IfAny("mfa_keys_rows", "kind=\"secrets\"") >= 2);
    }

    [Fact]
    public async Task Prometheus_scrapes_it_and_understands_what_is_shipped()
    {
        var rules = await PrometheusServer.CheckRulesAsync(Alerts);
        Assert.True(rules.ExitCode == 0, rules.Output + rules.Errors);
        await using var prometheus = await PrometheusServer.StartAsync(server.Process.Web, Alerts);
        const string Accepted = "mfa_verdicts_total{factor=\"authenticator\",outcome=\"accepted\"}";
        var before = (await Scrape.OfAsync(server.Process))["mfa_verdicts_total", "factor=\"authenticator\"", "outcome=\"accepted\""];

        for (var i = 0; i < 3; i++) await Owner.EnrolAsync(server.Process.Dev);

        await Eventually.IsAsync("Prometheus knows the verdicts", async () => await prometheus.ValueAsync(Accepted) == before + 3);
        foreach (var expression in Expressions()) await prometheus.QueryAsync(expression.Replace("$__rate_interval", "1m", StringComparison.Ordinal));
        await Eventually.IsAsync("it has looked at all alerts", async () =>
            (await prometheus.RulesAsync()) is { Length: > 8 } looked && looked.All(rule => rule.GetProperty("health").GetString() == "ok"));
        Assert.All(await prometheus.RulesAsync(), rule => Assert.NotEqual("firing", rule.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task Every_metric_that_dashboard_and_alerts_name_is_there()
    {
        var text = string.Join('\n', [await File.ReadAllTextAsync(Alerts, TestContext.Current.CancellationToken), .. Expressions()]);
        var named = MetricName().Matches(text).Select(match => match.Value).Distinct().ToArray();
        Assert.True(named.Length > 10, "Hardly anything is named.");
        await Eventually.IsAsync("all is counted", async () => (await Scrape.OfAsync(server.Process)).Names.Contains("mfa_keys_rows"));

        Assert.Empty(named.Except((await Scrape.OfAsync(server.Process)).Names));
    }

    private static List<string> Expressions()
    {
        var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Shipped, "grafana-dashboard.json"))).RootElement;
        return [.. dashboard.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!)];
    }

    [GeneratedRegex("mfa_[a-z_]+", RegexOptions.None, 1000)]
    private static partial Regex MetricName();
}
