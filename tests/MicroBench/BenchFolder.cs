namespace Mfa.MicroBench;

internal sealed class BenchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mfa-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
