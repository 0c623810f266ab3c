namespace Mfa.Torture;

/// <summary>Chance that comes again with its seed. Nothing secret is drawn from it.</summary>
internal sealed class Chance(int seed)
{
#pragma warning disable RS0030 // RandomNumberGenerator has no seed
    private readonly Random _random = new(seed);
#pragma warning restore RS0030
    private readonly Lock _lock = new();

    public int Next(int below) => Next(0, below);

    public int Next(int from, int below)
    {
        lock (_lock) return Draw(from, below);
    }

    /// <summary>Chance of its own for somebody who draws at the same time.</summary>
    public Chance Fork() => new(Next(int.MaxValue));

#pragma warning disable RS0030, CA5394 // see above
    private int Draw(int from, int below) => _random.Next(from, below);
#pragma warning restore RS0030, CA5394
}
