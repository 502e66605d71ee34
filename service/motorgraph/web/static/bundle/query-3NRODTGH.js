var e="/static/bundle/europe.topo-QWQRQGY3.json";var r="/static/bundle/world.topo-F27N7N2D.json";document.documentElement.dataset.outlines=`${e} ${r}`;
