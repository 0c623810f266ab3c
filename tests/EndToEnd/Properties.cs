using System.Runtime.Versioning;
using Xunit.v3;

// The server promises file modes and ends at signals, which only Unix has.
[assembly: UnsupportedOSPlatform("windows")]

[assembly: AssemblyFixture(typeof(Mfa.EndToEnd.Postgres.PostgresCluster))]

// The tests wait for processes, disks and clocks more than they compute: more of them at once than there are cores.
[assembly: Parallelization(MaxThreads = 4)]
