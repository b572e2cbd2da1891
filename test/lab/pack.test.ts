// The package, really installed: npm fetches what it depends on.
import { consumer } from '../pack/package.ts';
import { installedOffboxWorks } from '../pack/works.ts';

installedOffboxWorks(consumer('installed').path);
