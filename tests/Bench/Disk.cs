using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Mfa.Bench;

/// <summary>What one sync costs on the disk that is measured on.</summary>
internal static partial class Disk
{
    /// <summary>Nothing is durable in memory, or where a library takes the syncs away.</summary>
    public static void RequireDurable(string folder)
    {
        var format = new DriveInfo(folder).DriveFormat;
        Expect.That(format is not ("tmpfs" or "ramfs"), $"{folder} is in memory ({format}); set TMPDIR to a folder on a disk");
        Expect.That(Environment.GetEnvironmentVariable("LD_PRELOAD") is null, "LD_PRELOAD may take the syncs away");
    }

    /// <returns>The median of 500 times writing a page and syncing it, in milliseconds.</returns>
    public static double SyncMilliseconds(string folder)
    {
        var path = Path.Combine(folder, "sync-probe");
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        var page = new byte[4096];
        for (var i = 0; i < 500; i++) RandomAccess.Write(file, page, i * page.Length);
        RandomAccess.FlushToDisk(file);
        var times = new List<double>();
        for (var i = 0; i < 500; i++)
        {
            page[0]++;
            RandomAccess.Write(file, page, i * page.Length);
            var start = Stopwatch.GetTimestamp();
            Expect.That(DataSync((int)file.DangerousGetHandle()) == 0, "the disk refuses to sync");
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return Report.Median(times);
    }

    [LibraryImport("libc", EntryPoint = "fdatasync")]
    private static partial int DataSync(int file);
}
