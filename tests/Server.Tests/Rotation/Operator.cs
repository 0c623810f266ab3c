using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Store;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mfa.Server.Tests.Rotation;

/// <summary>The operator of a test server: each act reads the ring's file anew, as a process of its own does.</summary>
internal sealed class Operator(TestServer server)
{
    public string RingPath { get; } = Path.Combine(server.Folder, "keys.json");

    public IStore Store { get; } = server.Services.GetRequiredService<IStore>();

    /// <summary>The ring that the server works with.</summary>
    public KeyRing ServersRing { get; } = server.Services.GetRequiredService<KeyRing>();

    /// <returns>The key that was active before and the one that is now.</returns>
    public async Task<(uint Old, uint New)> RotateAsync()
    {
        var ring = KeyRingFile.Load(RingPath);
        var old = ring.ActiveId;
        return (old, await Rotation(ring).RotateAsync());
    }

    public Task<RewrapOutcome> RewrapAsync() => new Rewrap(Store, KeyRingFile.Load(RingPath), TimeProvider.System).RunAsync(_ => { }, CancellationToken.None);

    public Task RemoveAsync(uint keyId) => Rotation(KeyRingFile.Load(RingPath)).RemoveAsync(keyId);

    /// <summary>What the server does by itself within a second; its clock stands still here.</summary>
    public Task ServerLooksAsync() => server.Services.GetServices<IHostedService>().OfType<RingWatch>().Single().LookAsync();

    public long Needed(uint keyId) => KeyUses.Count(Store).Where(use => use.KeyId == keyId).Sum(use => use.Count);

    private KeyRotation Rotation(KeyRing ring) => new(Store, ring, RingPath, server.Clock);
}
