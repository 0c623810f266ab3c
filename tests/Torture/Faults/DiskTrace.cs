using System.Globalization;
using System.Text.RegularExpressions;

namespace Mfa.Torture.Faults;

/// <summary>
/// What a server did to a folder, system call by system call, and from that what a power cut at any moment leaves of it: the
/// bytes that were synced before, under the names whose folder was synced.
/// </summary>
internal sealed partial class DiskTrace
{
    /// <summary>Runs a program so that its trace can be read here afterwards, with its process id as it would be.</summary>
    public static string[] Strace(string folder) =>
    [
        "strace", "-D", "-ff", "-ttt", "-T", "-y", "-xx", "-s", "1000000", "-o", Path.Combine(folder, "trace"), "-e",
        "trace=open,openat,creat,write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat",
    ];

    private readonly List<Step> _steps;
    private readonly string _folder;

    private DiskTrace(List<Step> steps, string folder) => (_steps, _folder) = (steps, folder);

    /// <param name="folder">The folder that is looked at; what lies elsewhere is left out.</param>
    public static DiskTrace Read(string traceFolder, string folder)
    {
        var steps = Directory.EnumerateFiles(traceFolder, "trace.*").SelectMany(File.ReadLines).Select(Step.Parse).OfType<Step>()
            .Where(step => step.Path == Path.GetDirectoryName(folder) || step.Path.StartsWith(folder, StringComparison.Ordinal));
        return new DiskTrace([.. steps.OrderBy(step => step.End)], folder);
    }

    public int Writes => _steps.Count(step => step.Call == "pwrite64");

    public int Syncs => _steps.Count(step => step.Call is "fsync" or "fdatasync");

    /// <summary>Writes into <paramref name="target"/> what is left of the folder after a power cut at this moment.</summary>
    /// <param name="survives">Whether a write that was not synced reached the disk all the same, as any of them may.</param>
    /// <returns>False when not even the folder is left.</returns>
    public bool Restore(long cutMicroseconds, string target, Func<bool> survives)
    {
        var live = new Dictionary<string, Inode>();
        var durable = new Dictionary<string, Inode>();
        var folderIsDurable = false;
        foreach (var step in _steps.TakeWhile(step => step.End <= cutMicroseconds))
        {
            switch (step.Call)
            {
                case "open" or "openat" or "creat":
                    if (step.Arguments.Contains("O_CREAT", StringComparison.Ordinal) && !live.ContainsKey(step.Path)) live[step.Path] = new Inode();
                    break;
                case "rename" or "renameat" or "renameat2":
                    if (live.Remove(step.Path, out var moved)) live[step.Other] = moved;
                    break;
                case "unlink" or "unlinkat":
                    live.Remove(step.Path);
                    break;
                case "pwrite64" or "ftruncate":
                    if (live.TryGetValue(step.Path, out var written)) written.Changes.Add(step);
                    break;
                case "fsync" or "fdatasync":
                    if (live.TryGetValue(step.Path, out var file)) file.Synced(step.Start);
                    else if (step.Path == _folder) durable = new Dictionary<string, Inode>(live);
                    else if (step.Path == Path.GetDirectoryName(_folder)) folderIsDurable = true;
                    break;
                case "mkdir" or "mkdirat":
                    break; // the folder itself, and those in it that hold nothing to keep
                default:
                    throw new InvalidOperationException($"{step.Call} on {step.Path}: a way to write that this does not know.");
            }
        }

        if (!folderIsDurable) return false;
        Directory.CreateDirectory(target);
        foreach (var (path, inode) in durable.Where(entry => Path.GetDirectoryName(entry.Key) == _folder))
        {
            if (path.EndsWith("-shm", StringComparison.Ordinal)) continue; // memory that happens to have a name: rebuilt from the log
            inode.Write(Path.Combine(target, Path.GetFileName(path)), survives);
        }

        return true;
    }

    private sealed class Inode
    {
        private int _synced;

        public List<Step> Changes { get; } = [];

        public void Synced(long started) => _synced = Math.Max(_synced, Changes.TakeWhile(change => change.End <= started).Count());

        public void Write(string path, Func<bool> survives)
        {
            using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            for (var i = 0; i < Changes.Count; i++)
            {
                if (i >= _synced && !survives()) continue;
                if (Changes[i].Call == "ftruncate")
                {
                    file.SetLength(Changes[i].Offset);
                    continue;
                }

                file.Position = Changes[i].Offset;
                file.Write(Changes[i].Data);
            }
        }
    }

    /// <param name="Start">Unix microseconds.</param>
    private sealed partial record Step(long Start, long End, string Call, string Path, string Other, string Arguments, byte[] Data, long Offset)
    {
        /// <returns>Null for a call that failed or never ended.</returns>
        public static Step? Parse(string line)
        {
            var match = Traced().Match(line);
            if (!match.Success) return null;
            var start = (long)(decimal.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * 1_000_000);
            var time = (long)(decimal.Parse(match.Groups[5].Value, CultureInfo.InvariantCulture) * 1_000_000);
            var (call, arguments) = (match.Groups[2].Value, match.Groups[3].Value);
            var texts = Quoted().Matches(arguments).Select(text => Bytes(text.Groups[1].Value)).ToArray();
            var named = Named().Match(arguments);
            var path = call is "open" or "openat" or "creat" or "mkdir" or "mkdirat" || call.StartsWith("rename", StringComparison.Ordinal)
                || call.StartsWith("unlink", StringComparison.Ordinal)
                ? Text(texts[0])
                : named.Success ? Text(Bytes(named.Groups[1].Value)) : "";
            var last = arguments[(arguments.LastIndexOf(',') + 1)..].Trim();
            return new Step(start, start + time, call, path, call.StartsWith("rename", StringComparison.Ordinal) ? Text(texts[1]) : "", arguments,
                call == "pwrite64" ? texts[0] : [], long.TryParse(last, out var offset) ? offset : 0);
        }

        private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);

        private static byte[] Bytes(string escaped) => Convert.FromHexString(escaped.Replace("\\x", "", StringComparison.Ordinal));

        [GeneratedRegex(@"^(\d+\.\d+) (\w+)\((.*)\) += (\d+)(?:<.*>)? <(\d+\.\d+)>$", RegexOptions.None, 10_000)]
        private static partial Regex Traced();

        [GeneratedRegex("\"((?:\\\\x[0-9a-f]{2})*)\"", RegexOptions.None, 10_000)]
        private static partial Regex Quoted();

        [GeneratedRegex(@"^\d+<((?:\\x[0-9a-f]{2})+)>", RegexOptions.None, 10_000)]
        private static partial Regex Named();
    }
}
