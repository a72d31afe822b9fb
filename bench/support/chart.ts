import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([BarChart, LineChart, GridComponent, LegendComponent, SVGRenderer]);

export interface ThroughputPoint {
  x: string;
  /** Mailboxes a second. */
  measured: number;
  /** Mailboxes a second that the latency and the number of checks at the same time allow. */
  possible?: number;
}

/** A chart of mailboxes a second, as SVG. */
export function drawThroughput(xName: string, points: readonly ThroughputPoint[]): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 640, height: 320 });
  const hasPossible = points.some(({ possible }) => possible !== undefined);
  const values = (pick: (point: ThroughputPoint) => number | undefined) =>
    points.map((point) => Number((pick(point) ?? 0).toPrecision(3)));
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    legend: { bottom: 0 },
    grid: { left: 60, right: 24, top: 36, bottom: 70 },
    xAxis: { type: 'category', name: xName, nameLocation: 'middle', nameGap: 26, data: points.map(({ x }) => x) },
    yAxis: { type: 'value', name: 'mailboxes a second' },
    series: [
      {
        type: 'bar',
        name: 'measured',
        data: values(({ measured }) => measured),
        label: { show: true, position: 'inside' },
        itemStyle: { color: '#2f6fde' },
        barMaxWidth: 72,
      },
      ...(hasPossible
        ? [
            {
              type: 'line' as const,
              name: 'possible: processes × 24 ÷ time of a check',
              data: values(({ possible }) => possible),
              itemStyle: { color: '#c2410c' },
            },
          ]
        : []),
    ],
  });
  // What reacts to a pointer says nothing in a picture, and readers of a screen get a title.
  const svg = chart.renderToSVGString().replace(/<style[\s\S]*?<\/style>\s*/, '');
  chart.dispose();
  return `${svg.replace('>', `><title>Mailboxes a second, by ${xName.toLowerCase()}</title>`)}\n`;
}
