using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Keys;

/// <summary>What `secrets` says and refuses, and what a running server makes of a file that changes under it.</summary>
public sealed class KeyVerbTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private KeyVerbs Keys => new(_folder["data"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_key_is_shown_with_what_needs_it_and_removed_only_when_nothing_does()
    {
        await ServerProgram.AddPersonAsync(_folder["data"], "person", "person@example.org", "correct horse battery staple");
        var first = await Keys.ActiveAsync();
        Assert.Equal(4, first.Needed); // address, password, standing key, the end of the audit trail

        var old = await Keys.RotateAsync();
        Assert.Equal(first.Id, old);
        Assert.Equal([("active", 1L), ("old", 3L)], (await Keys.StatusAsync()).Select(key => (key.State, key.Needed)));
        Start.RefusedWith(await Keys.RunAsync("remove", old), [old, "1 addresses", "1 passwords", "1 standing key", "secrets rewrap"]);

        await Keys.RewrapAsync();
        Assert.Equal([("active", 4L), ("old", 0L)], (await Keys.StatusAsync()).Select(key => (key.State, key.Needed)));
        await Keys.AgeAsync();
        await Keys.RemoveAsync(old);
        Assert.Equal([("active", 4L)], (await Keys.StatusAsync()).Select(key => (key.State, key.Needed)));
    }

    [Fact]
    public async Task Keys_that_cannot_be_removed_are_refused_with_what_to_do()
    {
        var active = (await Keys.ActiveAsync()).Id;

        Start.RefusedWith(await Keys.RunAsync("remove", active), [active, "active key", "secrets rotate"]);
        Start.RefusedWith(await Keys.RunAsync("remove", "00000000"), ["00000000", "secrets status"]);
        foreach (var wrong in new[] { "", "key", "123456789", "-1", "0x12" })
            Assert.Equal(Start.Usage, (await Keys.RunAsync("remove", wrong)).ExitCode);
    }

    [Fact]
    public async Task The_tables_are_for_people_and_name_no_key()
    {
        var table = await Keys.RunAsync("status");
        var ring = await File.ReadAllTextAsync(Keys.Ring, TestContext.Current.CancellationToken);
        var key = ring.Split('"').Single(word => word.Length == 44);

        Assert.StartsWith("KEY       STATE   CREATED", table.Output, StringComparison.Ordinal);
        Assert.Contains("active", table.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(key, table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beside_a_server_that_does_not_follow_nothing_is_rewrapped_or_removed()
    {
        var old = await Keys.RotateAsync();
        await using var lockOfAServer = new FileStream(
            Path.Combine(_folder["data"], "serve.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

        Start.RefusedWith(await Keys.RunAsync("rewrap"), ["the running server has not taken key", "Its log says why"]);

        Assert.NotEqual(0, (await Keys.StatusAsync()).Single(key => key.Id == old).Needed);
    }

    [Fact]
    public async Task A_file_that_breaks_under_a_running_server_is_reported_and_changes_nothing_until_it_is_mended()
    {
        await using var server = await ServerProcess.StartAsync();
        var keys = new KeyVerbs(server.Data);
        var owner = await Owner.EnrolAsync(server.Dev);
        var good = await File.ReadAllBytesAsync(keys.Ring, TestContext.Current.CancellationToken);

        await File.WriteAllBytesAsync(keys.Ring, good[..50], TestContext.Current.CancellationToken);
        await UntilLoggedAsync(server, "is refused; the keys in use stay");
        await MixedLoad.AcceptedAsync(server.Dev, owner.Account, owner.NextCode);
        Assert.Contains(server.Lines, line => line.Contains("Restore it from its backup", StringComparison.Ordinal));

        await File.WriteAllBytesAsync(keys.Ring, good, TestContext.Current.CancellationToken);
        await keys.RotateAsync(); // ends well only when the server has taken the key over
        await UntilLoggedAsync(server, "is the active key now, of 2");
        await MixedLoad.AcceptedAsync(server.Dev, owner.Account, owner.RecoveryCodes[0]);
    }

    [Fact]
    public async Task An_account_that_was_checked_before_a_rotation_is_checked_after_it_with_the_new_key_alone()
    {
        await using var server = await ServerProcess.StartAsync();
        var keys = new KeyVerbs(server.Data);
        var owner = await Owner.EnrolAsync(server.Dev);
        var another = await Owner.EnrolAsync(server.Dev);
        await MixedLoad.AcceptedAsync(server.Dev, another.Account, another.RecoveryCodes[0]);

        var old = await keys.RotateAsync();
        await keys.RewrapAsync(); // by a program of its own, which tells the server nothing of what it saved
        await keys.RemoveAsync(old);
        await UntilLoggedAsync(server, "is the active key now, of 1");

        await MixedLoad.AcceptedAsync(server.Dev, owner.Account, owner.NextCode);
        await MixedLoad.AcceptedAsync(server.Dev, another.Account, another.RecoveryCodes[1]);
    }

    private static async Task UntilLoggedAsync(ServerProcess server, string words)
    {
        var end = TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(1);
        while (!server.Lines.Any(line => line.Contains(words, StringComparison.Ordinal)))
        {
            Assert.True(TimeProvider.System.GetUtcNow() < end, $"The server did not log: {words}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
