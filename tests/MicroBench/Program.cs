using BenchmarkDotNet.Running;
using Mfa.MicroBench;

// `MicroBench audit ROWS` asks a long audit trail; everything else are BenchmarkDotNet's own arguments.
if (args is ["audit", var rows]) await AuditTrailBench.RunAsync(int.Parse(rows, null));
else BenchmarkSwitcher.FromAssembly(typeof(CheckBench).Assembly).Run(args);
