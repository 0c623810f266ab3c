using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Rotation;

/// <summary>Every state that a rotation or a removal can be cut off in: the next start, and the next try, find their way.</summary>
public sealed class CrashedRotationTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    private string Ring => _folder.File("keys.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Cut_off_while_the_new_file_is_written()
    {
        var first = await OpenAsync();
        await File.WriteAllTextAsync($"{Ring}.new", "{ \"act", TestContext.Current.CancellationToken);

        Assert.Equal([first], KeyRingFile.Load(Ring).Ids);
        var second = await RotateAsync();

        Assert.Equal(second, await OpenAsync());
        Assert.False(File.Exists($"{Ring}.new"));
    }

    [Fact]
    public async Task Cut_off_between_the_file_and_the_check_value()
    {
        await OpenAsync();
        var content = KeyRingFile.Read(Ring);
        var key = KeyRingFile.NewKey(content.Keys, _clock.GetUtcNow());
        KeyRingFile.Replace(Ring, new KeyRingContent(key.Id, [.. content.Keys, key]));

        var active = await OpenAsync();

        Assert.Equal(KeyRingFile.IdOf(key.Id), active);
        Assert.Equal(2, await KnownAsync());
    }

    [Fact]
    public async Task Cut_off_between_the_check_value_and_the_file_of_a_removal()
    {
        var old = await OpenAsync();
        var active = await RotateAsync();
        using (var data = await DataFolder.OpenAsync(_folder.Path, _clock))
        {
            await new Rewrap(data.Store, data.Ring, TimeProvider.System).RunAsync(_ => { }, TestContext.Current.CancellationToken);
            await data.Store.WriteAsync(session => RingKeyRows.Remove(session, old));
        }

        Assert.Equal(active, await OpenAsync());
        Assert.Equal(1, await KnownAsync()); // a start does not bring it back
        using (var data = await DataFolder.OpenAsync(_folder.Path, _clock))
            await new KeyRotation(data.Store, data.Ring, Ring, _clock).RemoveAsync(old);
        Assert.Equal([active], KeyRingFile.Load(Ring).Ids);
    }

    [Fact]
    public async Task A_key_that_was_taken_out_by_hand_while_rows_need_it_stops_the_start() // SE5
    {
        await OpenAsync();
        await RotateAsync();
        var content = KeyRingFile.Read(Ring);
        KeyRingFile.Replace(Ring, content with { Keys = [content.Keys.Single(key => key.Id == content.Active)] });

        var refused = await Assert.ThrowsAsync<StartRefusedException>(OpenAsync);

        Assert.Contains("Put the right file back", refused.Message);
    }

    [Fact]
    public async Task Two_at_a_time_are_refused()
    {
        using var data = await DataFolder.OpenAsync(_folder.Path, _clock);
        using var alone = FolderLocks.TakeRing(data.Path);

        Assert.Throws<StartRefusedException>(() => FolderLocks.TakeRing(data.Path));
    }

    [Fact]
    public async Task A_server_that_has_not_noted_the_active_key_is_waited_for_and_without_one_nobody_is()
    {
        await OpenAsync();
        await RotateAsync();
        using (var unserved = await DataFolder.OpenAsync(_folder.Path, _clock))
        {
            Assert.False(FolderLocks.IsServed(unserved.Path));
            var settled = new KeyRotation(unserved.Store, unserved.Ring, Ring, _clock).SettledTime(FolderLocks.IsServed(unserved.Path));
            Assert.Equal(_clock.GetUtcNow().AddSeconds(15), settled);
        }

        using var data = await DataFolder.OpenAsync(_folder.Path, _clock, alone: true);
        var rotation = new KeyRotation(data.Store, data.Ring, Ring, _clock);
        Assert.True(FolderLocks.IsServed(data.Path));
        Assert.Null(rotation.SettledTime(FolderLocks.IsServed(data.Path)));

        _clock.Advance(TimeSpan.FromHours(1));
        await data.Store.WriteAsync(session => RingKeyRows.SetServed(session, data.Ring.ActiveId, _clock.GetUtcNow()));
        Assert.Equal(_clock.GetUtcNow().AddSeconds(15), rotation.SettledTime(FolderLocks.IsServed(data.Path)));
    }

    private async Task<uint> OpenAsync()
    {
        using var data = await DataFolder.OpenAsync(_folder.Path, _clock);
        return data.Ring.ActiveId;
    }

    private async Task<uint> RotateAsync()
    {
        using var data = await DataFolder.OpenAsync(_folder.Path, _clock);
        return await new KeyRotation(data.Store, data.Ring, Ring, _clock).RotateAsync();
    }

    private async Task<int> KnownAsync()
    {
        using var data = await DataFolder.OpenAsync(_folder.Path, _clock);
        return data.Store.Read(RingKeyRows.CheckValues).Count;
    }
}
